#include "base/base64.h"

#include <array>
#include <cassert>

namespace vmcred {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values = {};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values.at(static_cast<unsigned char>(kAlphabet[i])) = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr std::array<std::int8_t, 256> kValues = make_values();

/// Splits off the padding and gives the decoded size; refuses a length that base64 cannot have.
Result<std::size_t> decoded_size(std::string_view& text, Padding padding) {
  if (padding == Padding::with) {
    if (text.size() % 4 != 0)
      return fail(Errc::invalid_data, "the base64 text has {} characters, no multiple of 4", text.size());
    if (text.ends_with("==")) {
      text.remove_suffix(2);
    } else if (text.ends_with('=')) {
      text.remove_suffix(1);
    }
  }
  if (text.size() % 4 == 1) return fail(Errc::invalid_data, "the base64 text is cut short");
  return text.size() * 3 / 4;
}

Result<> decode_into(std::string_view text, WritableBytes out) {
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::int8_t value = kValues.at(static_cast<unsigned char>(text[i]));
    if (value < 0) return fail(Errc::invalid_data, "character {} of the base64 text is not in its alphabet", i + 1);
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[used++] = static_cast<std::uint8_t>(bits >> held);
    }
  }
  if ((bits & ((1U << held) - 1)) != 0)
    return fail(Errc::invalid_data, "the base64 text is not canonical (unused bits are set)");
  return {};
}

}  // namespace

void base64_encode_into(Bytes bytes, WritableBytes out, Padding padding) {
  assert(out.size() == base64_size(bytes.size(), padding));
  std::size_t at = 0;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group =
        static_cast<std::uint32_t>(bytes[i]) << 16 | static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) out[at++] = static_cast<std::uint8_t>(kAlphabet[group >> shift & 63]);
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  const std::uint32_t group =
      static_cast<std::uint32_t>(bytes[i]) << 16 | (rest == 2 ? static_cast<std::uint32_t>(bytes[i + 1]) << 8 : 0);
  for (std::size_t k = 0; k <= rest; ++k) out[at++] = static_cast<std::uint8_t>(kAlphabet[group >> (18 - 6 * k) & 63]);
  while (at < out.size()) out[at++] = '=';
}

std::string base64_encode(Bytes bytes, Padding padding) {
  std::string text(base64_size(bytes.size(), padding), '\0');
  base64_encode_into(bytes, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()}, padding);  // NOLINT
  return text;
}

Secret base64_encode_secret(Bytes bytes, Padding padding) {
  Secret text(base64_size(bytes.size(), padding));
  base64_encode_into(bytes, text.writable(), padding);
  return text;
}

Result<std::string> base64_decode(std::string_view text, Padding padding) {
  TRY_LET(const std::size_t size, decoded_size(text, padding));
  std::string bytes(size, '\0');
  TRY(decode_into(text, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}));  // NOLINT
  return bytes;
}

Result<Secret> base64_decode_secret(std::string_view text, Padding padding) {
  TRY_LET(const std::size_t size, decoded_size(text, padding));
  Secret bytes(size);
  TRY(decode_into(text, bytes.writable()));
  return bytes;
}

std::string hex_encode(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Errc::invalid_data, "the hex text has an odd number of digits");
  std::string bytes;
  bytes.reserve(text.size() / 2);
  unsigned high = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A') + 10;
    } else {
      return fail(Errc::invalid_data, "character {} is no hex digit", i + 1);
    }
    if (i % 2 == 0) {
      high = digit << 4;
    } else {
      bytes += static_cast<char>(high | digit);
    }
  }
  return bytes;
}

}  // namespace vmcred
