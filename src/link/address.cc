#include "link/address.h"

#include <charconv>
#include <cstring>
#include <string>

namespace vmcred::link {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::string_view kSerial = "v1 serial ";
constexpr std::string_view kVsock = "v1 vsock:2:";

Failure malformed() { return fail(Errc::invalid_data, "the credential '{}' is malformed", kLinkName); }

int digit_of(char c) {
  const auto at = kDigits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Secret link_line(const Address& address) {
  const std::string head =
      address.transport == Transport::serial ? std::string(kSerial) : fmt::format("{}{} ", kVsock, address.vsock_port);
  Secret line(head.size() + 2 * address.token.size());
  const WritableBytes out = line.writable();
  std::memcpy(out.data(), head.data(), head.size());
  std::size_t at = head.size();
  for (const std::uint8_t byte : address.token.bytes()) {
    out[at++] = static_cast<std::uint8_t>(kDigits[byte >> 4]);
    out[at++] = static_cast<std::uint8_t>(kDigits[byte & 0xf]);
  }
  return line;
}

Result<Address> parse_link_line(Bytes line) {
  std::string_view text = text_of(line);
  if (text.ends_with('\n')) text.remove_suffix(1);
  Address address;
  if (text.starts_with(kSerial)) {
    text.remove_prefix(kSerial.size());
  } else if (text.starts_with(kVsock)) {
    text.remove_prefix(kVsock.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), address.vsock_port);
    const auto digits = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || text.starts_with('0') || digits == text.size() || text[digits] != ' ')
      return malformed();
    text.remove_prefix(digits + 1);
    address.transport = Transport::vsock;
  } else {
    return malformed();
  }
  if (text.size() != 2 * kTokenSize) return malformed();
  address.token = Secret(kTokenSize);
  for (std::size_t i = 0; i < kTokenSize; ++i) {
    const int high = digit_of(text[2 * i]);
    const int low = digit_of(text[2 * i + 1]);
    if (high < 0 || low < 0) return malformed();
    address.token.writable()[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return address;
}

}  // namespace vmcred::link
