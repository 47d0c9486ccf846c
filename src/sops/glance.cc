#include "sops/glance.h"

#include <algorithm>
#include <array>

#include "sops/sops.h"

namespace vmcred::sops {
namespace {

/// How many bytes at the start need no closer look: printable ASCII other than '"' and '\\'.
std::size_t plain(std::string_view text) {
  constexpr std::size_t kTogether = 32;
  const auto special = [](char c) -> unsigned char {
    const auto byte = static_cast<signed char>(c);  // from 0x80 on: below zero
    return static_cast<unsigned char>((byte < 0x20) | (byte == 0x7f) | (byte == '"') | (byte == '\\'));
  };
  std::size_t at = 0;
  for (; at + kTogether <= text.size(); at += kTogether) {
    const char* const some = text.data() + at;
    unsigned char any = 0;
    // Without a branch, so that the compiler makes a few vector instructions of it.
    for (std::size_t i = 0; i < kTogether; ++i) any |= special(some[i]);  // NOLINT
    if (any != 0) break;
  }
  while (at < text.size() && special(text[at]) == 0) ++at;
  return at;
}

/// Reads JSON of plain ASCII text. Every function says no, for good, at the first thing that is not plainly right.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool token(char c) {
    skip_blank();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// A text; of escapes only \n may stand in it.
  bool string(std::string_view& value) {
    if (!token('"')) return false;
    const std::size_t begin = at_;
    at_ += plain(text_.substr(at_));
    while (text_.substr(at_).starts_with("\\n")) {
      at_ += 2;
      at_ += plain(text_.substr(at_));
    }
    if (at_ == text_.size() || text_[at_] != '"') return false;
    value = text_.substr(begin, at_ - begin);
    ++at_;
    return true;
  }
  /// null or []
  bool nothing() {
    if (token('[')) return token(']');
    if (!text_.substr(at_).starts_with("null")) return false;
    at_ += 4;
    return true;
  }
  /// An object; `member` reads the value of a key, each of which comes once.
  template <class Member>
  bool object(Member member) {
    if (!token('{')) return false;
    std::array<std::string_view, 16> seen = {};
    std::size_t count = 0;
    do {
      std::string_view key;
      if (!string(key) || key.contains('\\') || !token(':')) return false;
      if (count == seen.size() || std::find(seen.begin(), seen.begin() + count, key) != seen.begin() + count)
        return false;
      seen.at(count++) = key;
      if (!member(key)) return false;
    } while (token(','));
    return token('}');
  }
  bool ends() {
    skip_blank();
    return at_ == text_.size();
  }

 private:
  void skip_blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

/// "2026-01-02T03:04:05Z"
bool is_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00Z";
  return text.size() == kShape.size() && std::ranges::equal(text, kShape, [](char c, char shape) {
           return shape == '0' ? c >= '0' && c <= '9' : c == shape;
         });
}

/// "3.11.0"; what else sops takes is looked at closely.
bool is_plain_version(std::string_view text) {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    const bool dot = text[i] == '.' && i > 0 && text[i - 1] != '.' && i + 1 < text.size();
    if (!digit && !dot) return false;
    if (text[i] == '0' && (i == 0 || text[i - 1] == '.') && i + 1 < text.size() && text[i + 1] != '.') return false;
    dots += dot ? 1 : 0;
  }
  return dots == 2;
}

bool entries(Scanner& scan, Glance& found) {
  if (!scan.token('[')) return false;
  do {
    std::string_view recipient;
    std::string_view enc;
    const bool read = scan.object([&](std::string_view key) {
      return key == "recipient" ? scan.string(recipient) : key == "enc" && scan.string(enc);
    });
    if (!read || recipient.empty() || enc.empty() || recipient.contains('\\')) return false;
    if (std::ranges::find(found.recipients, recipient) != found.recipients.end()) return false;
    found.recipients.push_back(recipient);
    if (found.recipients.size() > kMaxRecipients) return false;
  } while (scan.token(','));
  return scan.token(']');
}

bool metadata(Scanner& scan, Glance& found) {
  std::string_view lastmodified;
  std::string_view mac;
  std::string_view version;
  std::string_view suffix = "_unencrypted";
  const bool read = scan.object([&](std::string_view key) {
    if (key == "age") return entries(scan, found);
    if (key == "lastmodified") return scan.string(lastmodified);
    if (key == "mac") return scan.string(mac);
    if (key == "version") return scan.string(version);
    if (key == "unencrypted_suffix") return scan.string(suffix);
    for (const char* empty : {"pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"})
      if (key == empty) return scan.nothing();
    return false;
  });
  return read && is_time(lastmodified) && !mac.empty() && is_plain_version(version) && suffix == "_unencrypted";
}

}  // namespace

std::optional<Glance> glance(std::string_view text) {
  if (text.size() > kMaxFile) return {};
  Scanner scan(text);
  Glance found;
  bool has_data = false;
  bool has_metadata = false;
  const bool read = scan.object([&](std::string_view key) {
    if (key == "data") return has_data = scan.string(found.data);
    return key == "sops" && (has_metadata = metadata(scan, found));
  });
  if (!read || !scan.ends() || !has_data || !has_metadata || found.data.contains('\\')) return {};
  return found;
}

}  // namespace vmcred::sops
