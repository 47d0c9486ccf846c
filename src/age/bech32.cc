#include "age/bech32.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vmcred::age {
namespace {

constexpr std::string_view kCharset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksum = 6;

constexpr auto kValues = [] {
  std::array<std::int8_t, 256> values = {};
  values.fill(-1);
  for (std::size_t i = 0; i < kCharset.size(); ++i) {
    values.at(static_cast<unsigned char>(kCharset[i])) = static_cast<std::int8_t>(i);
  }
  return values;
}();

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// The BCH code of BIP 173 over 5-bit values, fed one at a time.
class Checksum {
 public:
  explicit Checksum(std::string_view prefix) {
    for (const char c : prefix) add(static_cast<std::uint8_t>(lower(c)) >> 5U);
    add(0);
    for (const char c : prefix) add(static_cast<std::uint8_t>(lower(c)) & 31U);
  }
  void add(std::uint32_t value) {
    constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    const std::uint32_t top = state_ >> 25U;
    state_ = ((state_ & 0x1ffffffU) << 5U) ^ value;
    for (unsigned i = 0; i < kGenerator.size(); ++i) {
      if (((top >> i) & 1U) != 0) state_ ^= kGenerator.at(i);
    }
  }
  [[nodiscard]] bool good() const { return state_ == 1; }
  [[nodiscard]] std::array<std::uint8_t, kChecksum> finish() {
    for (std::size_t i = 0; i < kChecksum; ++i) add(0);
    const std::uint32_t code = state_ ^ 1U;
    std::array<std::uint8_t, kChecksum> values = {};
    for (unsigned i = 0; i < kChecksum; ++i) values.at(i) = static_cast<std::uint8_t>((code >> (5 * (5 - i))) & 31U);
    return values;
  }

 private:
  std::uint32_t state_ = 1;
};

std::size_t encoded_size(std::string_view prefix, Bytes data) {
  return prefix.size() + 1 + (data.size() * 8 + 4) / 5 + kChecksum;
}

/// Lower case, into exactly encoded_size() bytes.
void encode_into(std::string_view prefix, Bytes data, WritableBytes out) {
  auto* at = std::copy(prefix.begin(), prefix.end(), out.data());
  *at++ = '1';
  Checksum checksum(prefix);
  const auto put = [&](std::uint32_t value) {
    checksum.add(value);
    *at++ = static_cast<std::uint8_t>(kCharset[value]);
  };
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : data) {
    pending = (pending << 8U | byte) & 0xfffU;
    for (bits += 8; bits >= 5; bits -= 5) put((pending >> (bits - 5)) & 31U);
  }
  if (bits > 0) put((pending << (5 - bits)) & 31U);
  for (const std::uint8_t value : checksum.finish()) *at++ = static_cast<std::uint8_t>(kCharset[value]);
}

}  // namespace

std::string bech32_encode(std::string_view prefix, Bytes data) {
  std::string out(encoded_size(prefix, data), '\0');
  encode_into(prefix, data, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});  // NOLINT
  return out;
}

Secret bech32_encode_secret(std::string_view prefix, Bytes data) {
  Secret out(encoded_size(prefix, data));
  encode_into(prefix, data, out.writable());
  for (std::uint8_t& c : out.writable()) c = static_cast<std::uint8_t>(upper(static_cast<char>(c)));
  return out;
}

Result<Bech32> bech32_decode(std::string_view text) {
  static constexpr const char* kCopyAgain =
      "copy it again, whole, from where it was made ('age-keygen -y' prints a recipient)";
  const bool has_lower = std::ranges::any_of(text, [](char c) { return c != upper(c); });
  const bool has_upper = std::ranges::any_of(text, [](char c) { return c != lower(c); });
  if (has_lower && has_upper) return hint(fail(Errc::invalid_data, "the key mixes upper and lower case"), kCopyAgain);
  const std::size_t separator = text.rfind('1');  // plugin names hold a '1' of their own
  if (separator == std::string_view::npos || separator == 0 || text.size() - separator - 1 < kChecksum) {
    return hint(fail(Errc::invalid_data, "the key is cut short"), kCopyAgain);
  }
  Bech32 result = {.prefix = std::string(text.substr(0, separator)), .data = {}, .upper_case = has_upper};
  if (!std::ranges::all_of(result.prefix, [](char c) { return c >= 33 && c <= 126; })) {
    return fail(Errc::invalid_data, "the key begins with a character that no key has");
  }
  std::ranges::transform(result.prefix, result.prefix.begin(), lower);

  const std::string_view encoded = text.substr(separator + 1);
  const std::size_t values = encoded.size() - kChecksum;
  result.data = Secret(values * 5 / 8);
  std::uint8_t* out = result.data.writable().data();
  Checksum checksum(result.prefix);
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const std::int8_t value = kValues.at(static_cast<unsigned char>(lower(encoded[i])));
    if (value < 0)
      return hint(
          fail(Errc::invalid_data, "the key has a character that no key has, its number {}", separator + i + 2),
          "copy it again, whole: a key is letters and digits without '1', 'b', 'i' and 'o' behind its first '1'");
    checksum.add(static_cast<std::uint32_t>(value));
    if (i >= values) continue;
    pending = (pending << 5U | static_cast<std::uint32_t>(value)) & 0xfffU;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      *out++ = static_cast<std::uint8_t>(pending >> bits);
    }
  }
  if (!checksum.good())
    return hint(fail(Errc::invalid_data, "the key's checksum is wrong: a typing error, or cut short"), kCopyAgain);
  if (bits >= 5 || (pending & ((1U << bits) - 1)) != 0) {
    return fail(Errc::invalid_data, "the key ends in bits that are not zero");
  }
  return result;
}

}  // namespace vmcred::age
