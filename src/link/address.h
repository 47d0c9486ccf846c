// The credential `vmcred.link`: where the guest finds the link and the one-time token that opens it, as one line.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::link {

/// The guest name of the credential, and of the virtio-serial port.
inline constexpr std::string_view kLinkName = "vmcred.link";

inline constexpr std::size_t kTokenSize = 32;

/// Where an agent waits for the host's call on vsock. Below 1024, so only root in the guest can stand there.
inline constexpr std::uint32_t kGuestPort = 889;

enum class Transport : std::uint8_t { serial, vsock };

/// Where the guest connects to, and with which token (32 random bytes for each start of a VMM).
struct Address {
  Transport transport = Transport::serial;
  std::uint32_t vsock_port = 0;  ///< on CID 2, the host; only for vsock
  Secret token;
};

/// "v1 serial <64 hex>" or "v1 vsock:2:PORT <64 hex>", without a newline.
Secret link_line(const Address& address);

/// The same back. One newline at the end is taken; anything else that differs is `invalid_data`. No message quotes the
/// line.
Result<Address> parse_link_line(Bytes line);

}  // namespace vmcred::link
