// What keys and files are called once they are ours.
#include <algorithm>
#include <array>

#include "adopt/foreign.h"

namespace vmcred::adopt {
namespace {

constexpr std::array<std::string_view, 6> kMachineWords{"server", "host", "machine", "system", "node", "root"};
constexpr std::array<std::string_view, 4> kPersonWords{"admin", "user", "person", "me"};

std::string_view without_digits(std::string_view word) {
  return word.substr(0, word.find_last_not_of("0123456789") + 1);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::string tamed(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool good = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (good || (!name.empty() && name.back() != '-')) name += good ? lower : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name;
}

std::string without_comment(const std::string& recipient) {
  const std::string_view text = trimmed(recipient);
  if (!text.starts_with("ssh-")) return std::string(text);
  const std::size_t kind = text.find_first_of(" \t");
  const std::size_t key = kind == std::string_view::npos ? kind : text.find_first_not_of(" \t", kind);
  if (key == std::string_view::npos) return std::string(text);
  return fmt::format("{} {}", text.substr(0, kind), text.substr(key, text.find_first_of(" \t", key) - key));
}

std::vector<std::string> normal_recipients(std::vector<std::string> recipients) {
  for (std::string& each : recipients) each = without_comment(each);
  std::ranges::sort(recipients);
  recipients.erase(std::ranges::unique(recipients).begin(), recipients.end());
  return recipients;
}

KeyName name_in_comment(const std::string& recipient) {
  const std::string_view text = trimmed(recipient);
  if (!text.starts_with("ssh-")) return {};
  std::string_view comment = text;
  for (int word = 0; word < 2; ++word) {
    const std::size_t blank = comment.find_first_of(" \t");
    if (blank == std::string_view::npos) return {};
    comment = trimmed(comment.substr(blank));
  }
  const std::size_t at = comment.find('@');
  if (at == std::string_view::npos) return name_of_word(comment);
  const std::string_view host = comment.substr(at + 1, comment.find('.', at) - at - 1);
  if (comment.starts_with("root@")) return {tamed(host), true};
  return {tamed(comment.substr(0, at)), false};
}

KeyName name_of_word(std::string_view word) {
  const std::size_t end = word.find_first_of("_-");
  const std::string_view first = word.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : word.substr(end + 1);
  const auto among = [](const auto& words, std::string_view one) {
    return std::ranges::find(words, one) != words.end();
  };
  if (among(kMachineWords, first) && !rest.empty()) return {tamed(rest), true};
  if (among(kPersonWords, first) && !rest.empty()) return {tamed(rest), false};
  return {tamed(word), rest.empty() && first != "root" && among(kMachineWords, without_digits(first))};
}

bool is_word_for_machines(std::string_view word) {
  return word.ends_with('s') &&
         std::ranges::find(kMachineWords, word.substr(0, word.size() - 1)) != kMachineWords.end();
}

}  // namespace vmcred::adopt
