#include "generate/store_paths.h"

#include <algorithm>

namespace vmcred::generate {
namespace {

constexpr std::string_view kStore = "/nix/store/";
constexpr std::size_t kHashSize = 32;
constexpr std::string_view kHashLetters = "0123456789abcdfghijklmnpqrsvwxyz";  // Nix's base 32

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/// What a name in the store may hold.
bool of_a_name(char c) { return letter(c) || (c >= '0' && c <= '9') || std::string_view("+-._?=").contains(c); }

/// The name at the start of "NAME-VERSION-OUTPUT".
std::string_view name_of(std::string_view whole) {
  for (std::size_t i = 0; i + 1 < whole.size(); ++i)
    if (whole[i] == '-' && !letter(whole[i + 1])) return whole.substr(0, i);
  return whole;
}

}  // namespace

std::string without_versions(std::string_view text) {
  std::string clean;
  while (true) {
    const std::size_t place = text.find(kStore);
    if (place == std::string_view::npos) return clean.append(text);
    clean.append(text.substr(0, place + kStore.size()));
    text.remove_prefix(place + kStore.size());
    const std::string_view hash = text.substr(0, kHashSize);
    const bool is_hash = hash.size() == kHashSize && hash.find_first_not_of(kHashLetters) == std::string_view::npos;
    if (!is_hash || !text.substr(kHashSize).starts_with('-')) continue;
    text.remove_prefix(kHashSize + 1);
    const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, of_a_name) - text.begin());
    clean.append(name_of(text.substr(0, end)));
    text.remove_prefix(end);
  }
}

}  // namespace vmcred::generate
