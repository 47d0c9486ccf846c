// The way to the host: the virtio-serial port `vmcred.link` or a vsock connection.
#pragma once

#include <chrono>
#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "link/address.h"

namespace vmcred::guest {

/// The token's line from $CREDENTIALS_DIRECTORY or the system's credentials. `not_found`: this guest has no link.
Result<link::Address> read_address();

/// Opens the way, waiting at most `limit` for the device to appear. Loads the kernel modules where they are missing:
/// PID 1 of systemd 252 loads virtio_pci, but not virtio_console and virtio_mmio.
Result<Fd> open_port(const link::Address& address, std::chrono::milliseconds limit);

/// The port's device ("/dev/vport0p1") in /sys/class/virtio-ports; found without udev's links.
std::optional<std::string> find_serial_port(const std::string& sys = "/sys");

}  // namespace vmcred::guest
