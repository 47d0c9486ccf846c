#include "generate/redact.h"

#include <algorithm>

#include "base/base64.h"

namespace vmcred::generate {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::string_view kHidden = "[hidden]";

struct Mask {
  std::vector<bool> hidden;
  void cover(std::string_view text, std::string_view what) {
    if (what.size() < kShortest) return;
    for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
      std::fill_n(hidden.begin() + static_cast<std::ptrdiff_t>(at), what.size(), true);
  }
};

Secret hex_secret(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Secret hex(bytes.size() * 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    hex.writable()[2 * i] = static_cast<std::uint8_t>(kDigits[bytes[i] >> 4U]);
    hex.writable()[2 * i + 1] = static_cast<std::uint8_t>(kDigits[bytes[i] & 15U]);
  }
  return hex;
}

void cover_all(Mask& mask, std::string_view text, std::string_view value) {
  mask.cover(text, value);
  if (value.size() < kShortest) return;
  const Secret hex = hex_secret(bytes_of(value));
  mask.cover(text, hex.text());
  // Whatever the alignment: the inner groups of each of the three are the same in any base64 text around them.
  for (std::size_t skip = 0; skip < 3 && value.size() > skip + 5; ++skip) {
    const std::string_view inner = value.substr(skip, (value.size() - skip) / 3 * 3);
    const Secret encoded = base64_encode_secret(bytes_of(inner));
    mask.cover(text, encoded.text());
  }
  const Secret whole = base64_encode_secret(bytes_of(value));
  mask.cover(text, whole.text());
}

}  // namespace

std::string redacted(std::string_view text, const std::vector<const Secret*>& secrets, std::size_t max_lines) {
  Mask mask{.hidden = std::vector<bool>(text.size(), false)};
  for (const Secret* secret : secrets) {
    std::string_view value = secret->text();
    cover_all(mask, text, value);
    while (!value.empty()) {
      const std::size_t end = std::min(value.find('\n'), value.size());
      if (end != value.size() || end != secret->size()) cover_all(mask, text, value.substr(0, end));
      value.remove_prefix(std::min(end + 1, value.size()));
    }
  }
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (mask.hidden[i]) {
      if (i == 0 || !mask.hidden[i - 1]) clean += kHidden;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    clean += (byte < 0x20 && text[i] != '\n' && text[i] != '\t') || byte == 0x7f ? '?' : text[i];
  }
  while (clean.ends_with('\n')) clean.pop_back();
  std::size_t start = clean.size();
  for (std::size_t lines = 0; lines < max_lines && start != 0 && start != std::string::npos; ++lines)
    start = clean.rfind('\n', start - 1);
  if (start != 0 && start != std::string::npos && start < clean.size()) return "…" + clean.substr(start);
  return clean;
}

}  // namespace vmcred::generate
