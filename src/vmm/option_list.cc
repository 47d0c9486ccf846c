#include "vmm/option_list.h"

#include <algorithm>

namespace vmcred::vmm {
namespace {

std::string_view bare(std::string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('-'), name.size()));
  return name;
}

}  // namespace

Failure option_conflict(Origin origin, std::string_view option, std::string_view why, std::string_view remedy) {
  if (origin == Origin::extra_arguments)
    return hint(fail(Errc::usage, "the extra argument '{}' cannot be used: {}", option, why), std::string(remedy));
  return hint(fail(Errc::usage, "'{}' on the command line cannot be kept: {}", option, why), std::string(remedy));
}

Failure unknown_option(Origin origin, std::string_view option) {
  return option_conflict(
      origin, option, "vmcred does not know what it does",
      fmt::format("if it is meant, say so with '--allow-option {0}', or '--allow-option {0}=' when it takes a "
                  "value (allow-options in a vm's declaration)",
                  bare(option)));
}

Result<std::vector<UsedOption>> read_listed(std::span<const std::string> words, std::span<const ListedOption> listed,
                                            std::span<const RefusedOption> refused, const AllowedOptions& allowed,
                                            Origin origin) {
  std::vector<UsedOption> used;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-')) {
      used.push_back({.name = {}, .value = word});
      continue;
    }
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    UsedOption option = {.name = word.substr(0, equals)};
    const auto no = std::ranges::find(refused, std::string_view(option.name), &RefusedOption::name);
    if (no != refused.end()) return option_conflict(origin, option.name, no->why, no->remedy);
    const auto yes = std::ranges::find(listed, std::string_view(option.name), &ListedOption::name);
    const bool known = yes != listed.end();
    if (!known && !allowed.flag(bare(option.name)) && !allowed.with_value(bare(option.name)))
      return unknown_option(origin, option.name);
    const bool takes_value = known ? yes->takes == Takes::value : allowed.with_value(bare(option.name));
    if (equals != std::string::npos) {
      option.value = word.substr(equals + 1);
    } else if (takes_value) {
      if (i + 1 == words.size())
        return option_conflict(origin, option.name, "its value is missing", "add it, or remove the option");
      option.value = words[++i];
    }
    used.push_back(std::move(option));
  }
  return used;
}

}  // namespace vmcred::vmm
