// What keys and files are called once they are ours.
#include <algorithm>
#include <array>

#include "adopt/foreign.h"

namespace vmcred::adopt {
namespace {

constexpr std::array<std::string_view, 6> kMachineWords{"server", "host", "machine", "system", "node", "root"};
constexpr std::array<std::string_view, 4> kPersonWords{"admin", "user", "person", "me"};

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
  if (!recipient.starts_with("ssh-")) return recipient;
  const std::size_t key = recipient.find(' ');
  const std::size_t comment = key == std::string::npos ? key : recipient.find(' ', key + 1);
  return recipient.substr(0, comment);
}

KeyName name_in_comment(const std::string& recipient) {
  const std::size_t length = without_comment(recipient).size();
  if (length + 1 >= recipient.size()) return {};
  const std::string comment = recipient.substr(length + 1);
  const std::size_t at = comment.find('@');
  if (at == std::string::npos) return name_of_word(comment);
  const std::string host = comment.substr(at + 1, comment.find('.', at) - at - 1);
  if (comment.starts_with("root@")) return {tamed(host), true};
  return {tamed(comment.substr(0, at)), false};
}

KeyName name_of_word(std::string_view word) {
  const std::size_t end = word.find_first_of("_-");
  const std::string_view first = word.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? std::string_view() : word.substr(end + 1);
  if (std::ranges::find(kMachineWords, first) != kMachineWords.end() && !rest.empty()) return {tamed(rest), true};
  if (std::ranges::find(kPersonWords, first) != kPersonWords.end() && !rest.empty()) return {tamed(rest), false};
  return {tamed(word), false};
}

}  // namespace vmcred::adopt
