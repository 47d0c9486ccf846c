#include "shape/thought_up.h"

#include <algorithm>
#include <string>

#include "shape/letters.h"

namespace vmcred::shape {
namespace {

constexpr std::string_view kSigns = "!@#$%^&*?~+";
bool is_sign(char c) { return kSigns.contains(c); }

/// Digits and signs read as the letters that they stand for; nothing else changes.
std::string read_as_letters(std::string_view word) {
  std::string text = lowered(word);
  for (char& c : text) {
    constexpr std::string_view kWritten = "@4310!5$78";
    constexpr std::string_view kMeant = "aaeioisstb";
    if (const std::size_t at = kWritten.find(c); at != std::string_view::npos) c = kMeant[at];
  }
  return text;
}

/// Where a word that passwords are made of stands in disguise; empty where none does.
std::string_view disguised(std::string_view word) {
  constexpr std::string_view kWords[] = {"password", "passwort", "passw",    "secret", "letmein", "letmeln", "welcome",
                                         "admin",    "trustno",  "iloveyou", "dragon", "monkey",  "hacker"};
  const std::string meant = read_as_letters(word);
  for (const std::string_view each : kWords) {
    const std::size_t at = meant.find(each);
    if (at == std::string::npos) continue;
    const std::string_view written = word.substr(at, each.size());
    if (std::ranges::any_of(written, [](char c) { return is_digit(c) || is_sign(c); })) return written;
  }
  return {};
}

/// x@y.z, user@host: no password but an address.
bool address(std::string_view word) {
  const std::size_t at = word.find('@');
  if (at == std::string_view::npos || at == 0 || disguised(word).contains('@')) return false;
  const std::string_view host = word.substr(at + 1);
  const bool plain = !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == ':' || c == '/' || c == '_';
  });
  if (!plain) return false;
  const std::string_view user = word.substr(0, at);
  const bool mixed = std::ranges::any_of(user, is_upper) && std::ranges::any_of(user, is_digit);
  return host.contains('.') || (!mixed && std::ranges::none_of(user, is_sign));
}

}  // namespace

bool thought_up(std::string_view word, bool alone) {
  constexpr std::size_t kLeast = 6;
  constexpr std::size_t kMost = 40;
  constexpr std::string_view kNever = "/\\()<>[]{};|=,:\"'`";  // of paths, programs and lists
  if (word.size() < kLeast || word.size() > kMost || word.find_first_of(kNever) != std::string_view::npos) return false;
  if (std::ranges::any_of(word, [](char c) { return c <= ' ' || c > '~'; }) || address(word)) return false;
  if (word.starts_with('%') || word.starts_with('$') || word.starts_with('-') || word.starts_with("*.") ||
      word.starts_with('+'))
    return false;
  const bool mixed =
      std::ranges::any_of(word, is_lower) && std::ranges::any_of(word, is_upper) && std::ranges::any_of(word, is_digit);
  const std::string_view inner = word.substr(0, word.find_last_not_of("!?.") + 1);
  const std::string_view counted = alone ? word : inner;
  const bool signs = std::ranges::any_of(counted, is_sign);
  if (!disguised(word).empty() && (signs || std::ranges::any_of(word, is_digit))) return true;
  if (!mixed) return false;
  if (signs) return true;
  // "S3cr3t!" in a sentence: a digit between letters, and a sign at the end
  if (alone || inner.size() == word.size()) return false;
  for (std::size_t i = 1; i + 1 < inner.size(); ++i)
    if (is_digit(inner[i]) && is_letter(inner[i - 1]) && is_letter(inner[i + 1])) return true;
  return false;
}

}  // namespace vmcred::shape
