#include "vmm/qemu/option_words.h"

#include <algorithm>

#include "vmm/qemu/option_table.h"

namespace vmcred::vmm::qemu {
namespace {

Result<Takes> takes_of(std::string_view name, const AllowedOptions& allowed, Origin origin) {
  const auto refused = std::ranges::find(refused_options(), name, &RefusedOption::name);
  if (refused != refused_options().end()) return conflict(origin, name, refused->why, refused->remedy);
  const auto known = std::ranges::find(known_options(), name, &KnownOption::name);
  if (known != known_options().end()) return known->takes;
  if (allowed.with_value(name)) return Takes::value;
  if (allowed.flag(name)) return Takes::nothing;
  return unknown_option(origin, fmt::format("-{}", name));
}

}  // namespace

Failure conflict(Origin origin, std::string_view option, std::string_view why, std::string_view remedy) {
  return option_conflict(origin, fmt::format("-{}", option), why, remedy);
}

Result<std::vector<GivenOption>> read_options(std::span<const std::string> words, const AllowedOptions& allowed,
                                              Origin origin) {
  std::vector<GivenOption> options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-')) {
      options.push_back({.name = {}, .value = word, .index = i});
      continue;
    }
    GivenOption option = {.name = word.substr(word.starts_with("--") ? 2 : 1), .index = i};
    TRY_LET(const Takes takes, takes_of(option.name, allowed, origin));
    if (takes == Takes::value) {
      if (i + 1 == words.size())
        return conflict(origin, option.name, "its value is missing", "add it, or remove the option");
      option.takes_value = true;
      option.value = words[++i];
    }
    options.push_back(std::move(option));
  }
  return options;
}

}  // namespace vmcred::vmm::qemu
