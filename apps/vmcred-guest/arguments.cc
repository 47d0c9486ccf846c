#include "arguments.h"

#include <algorithm>

namespace vmcred::guest {

std::string Arguments::value(const std::string& name, std::string_view otherwise) const {
  const auto found = options.find(name);
  return found == options.end() || found->second.empty() ? std::string(otherwise) : found->second.back();
}

Result<Arguments> parse_arguments(std::span<char* const> given, std::span<const std::string_view> known) {
  Arguments arguments;
  bool options = true;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string_view word = given[i];
    if (!options || word.size() < 2 || word[0] != '-') {
      arguments.words.emplace_back(word);
      continue;
    }
    if (word == "--") {
      options = false;
      continue;
    }
    const auto equals = word.find('=');
    const std::string name(word.substr(0, equals));
    if (std::ranges::find(known, name) != known.end() && equals == std::string_view::npos) {
      arguments.options[name];
    } else if (std::ranges::find(known, name + "=") != known.end()) {
      if (equals != std::string_view::npos) {
        arguments.options[name].emplace_back(word.substr(equals + 1));
      } else if (i + 1 < given.size()) {
        arguments.options[name].emplace_back(given[++i]);
      } else {
        return fail(Errc::usage, "the option '{}' needs a value", name);
      }
    } else {
      return fail(Errc::usage, "there is no option '{}'", name);
    }
  }
  return arguments;
}

}  // namespace vmcred::guest
