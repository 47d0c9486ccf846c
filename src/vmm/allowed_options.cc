#include "vmm/allowed_options.h"

#include <algorithm>

namespace vmcred::vmm {
namespace {

std::string_view without_dashes(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
  return word;
}

}  // namespace

AllowedOptions::AllowedOptions(std::span<const std::string> words) {
  for (const std::string& word : words) words_.emplace_back(without_dashes(word));
}

bool AllowedOptions::flag(std::string_view name) const { return std::ranges::find(words_, name) != words_.end(); }
bool AllowedOptions::with_value(std::string_view name) const {
  return std::ranges::any_of(words_, [&](const std::string& word) {
    return word.size() == name.size() + 1 && word.starts_with(name) && word.ends_with('=');
  });
}
bool AllowedOptions::type(std::string_view name, std::string_view type) const {
  return with_value(name) || std::ranges::any_of(words_, [&](const std::string& word) {
           return word.size() == name.size() + 1 + type.size() && word.starts_with(name) && word[name.size()] == '=' &&
                  word.ends_with(type);
         });
}

}  // namespace vmcred::vmm
