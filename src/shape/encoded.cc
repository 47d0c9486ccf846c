#include "shape/encoded.h"

#include <algorithm>
#include <array>
#include <string>

#include "shape/letters.h"

namespace vmcred::shape {
namespace {

bool public_label(std::string_view label) {
  constexpr std::string_view kPublic[] = {
      "PUBLIC KEY",  "CERTIFICATE",    "CRL", "PARAMETERS", "SIGNATURE",         "SIGNED MESSAGE",
      "PGP MESSAGE", "ENCRYPTED FILE", "CMS", "PKCS7",      "ENCRYPTED MESSAGE", "ENCRYPTED DATA"};
  if (label.contains("PRIVATE")) return false;
  return std::ranges::any_of(kPublic, [&](std::string_view part) { return label.contains(part); });
}

int value_of(char c) {
  if (is_upper(c)) return c - 'A';
  if (is_lower(c)) return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : 63;
}

/// The first bytes of base64 of either alphabet.
std::string first_bytes(std::string_view word, std::size_t most) {
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : word) {
    if (bytes.size() == most) break;
    bits = (bits << 6U) | static_cast<unsigned>(value_of(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((bits >> static_cast<unsigned>(count)) & 0xFFU);
    bits &= (1U << static_cast<unsigned>(count)) - 1;
  }
  return bytes;
}

/// The header of a DER value at `at`: what follows it, and how many bytes it says it has; nothing where there is none.
struct Header {
  std::size_t content;
  std::size_t bytes;
};
std::optional<Header> der_header(std::string_view der, std::size_t at) {
  if (at + 2 > der.size()) return {};
  const auto first = static_cast<unsigned char>(der[at + 1]);
  if (first < 0x80) return Header{at + 2, first};
  const std::size_t count = first & 0x7FU;
  if (count == 0 || count > 3 || at + 2 + count > der.size()) return {};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes = bytes * 256 + static_cast<unsigned char>(der[at + 2 + i]);
  return Header{at + 2 + count, bytes};
}

Content der_content(std::string_view der, std::size_t whole) {
  constexpr char kSequence = 0x30;
  constexpr char kInteger = 0x02;
  if (der.empty() || der[0] != kSequence) return Content::unknown;
  const auto outer = der_header(der, 0);
  if (!outer || outer->content >= der.size()) return Content::unknown;
  const std::size_t says = outer->content + outer->bytes;
  if (says > whole + 2 || says + 2 < whole) return Content::unknown;
  if (der[outer->content] == kInteger) return Content::private_key;
  return der[outer->content] == kSequence ? Content::public_key : Content::unknown;
}

}  // namespace

std::vector<Block> pem_blocks(std::string_view text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  std::vector<Block> blocks;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;) {
    const std::size_t label = at + kBegin.size();
    const std::size_t label_end = std::min(text.find(kDashes, label), text.size());
    const std::size_t last = text.find("-----END ", label_end);
    const std::size_t after = last == std::string_view::npos ? last : text.find(kDashes, last + kDashes.size());
    const std::size_t end =
        after == std::string_view::npos ? text.size() : std::min(after + kDashes.size(), text.size());
    blocks.push_back({at, end - at, !public_label(text.substr(label, label_end - label))});
    at = text.find(kBegin, end);
  }
  return blocks;
}

bool starts_with_jwt(std::string_view word) {
  constexpr std::size_t kLeastPart = 10;
  if (!word.starts_with("eyJ")) return false;
  const auto url64 = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; };
  const auto part = [&](std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, url64) - text.begin());
  };
  const std::size_t head = part(word);
  if (head >= word.size() || word[head] != '.') return false;
  const std::size_t body = part(word.substr(head + 1));
  const std::size_t next = head + 1 + body;
  return body >= kLeastPart && next < word.size() && word[next] == '.';
}

Content content_of(std::string_view word) {
  constexpr std::size_t kLooked = 48;
  constexpr std::size_t kLeastText = 12;
  while (word.ends_with('=')) word.remove_suffix(1);
  const std::string bytes = first_bytes(word, kLooked);
  if (bytes.size() < kLeastText) return Content::unknown;
  const bool text =
      std::ranges::all_of(bytes, [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t' || c == '\r'; });
  if (text && bytes.starts_with("-----BEGIN ") && bytes.contains("PRIVATE")) return Content::private_key;
  if (text && word.size() < kLooked && std::ranges::count(bytes, ':') == 1 && !bytes.contains(' ') &&
      !bytes.contains('/'))
    return Content::user_and_password;
  if (text) return Content::text;
  return der_content(bytes, word.size() * 3 / 4);
}

bool published_word(std::string_view word) {
  constexpr std::array<std::string_view, 4> kSsh = {"AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh", "AAAAGnNr"};
  if (std::ranges::any_of(kSsh, [&](std::string_view start) { return word.starts_with(start); })) return true;
  if (word.starts_with("AAAAI") && word.size() > 60) return true;  // sk-ecdsa…
  constexpr std::size_t kMinisign = 56;
  if (word.starts_with("RW") && word.size() == kMinisign) return true;
  if (word.starts_with("_Z") && word.size() > 3 &&
      (is_digit(word[2]) || word[2] == 'N' || word[2] == 'S' || word[2] == 'T'))
    return true;
  return word.starts_with("age1");
}

bool starts_with_uuid(std::string_view text) {
  constexpr std::size_t kBytes = 36;
  if (text.size() < kBytes) return false;
  for (std::size_t i = 0; i < kBytes; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return text.size() == kBytes || !is_alphanumeric(text[kBytes]);
}

}  // namespace vmcred::shape
