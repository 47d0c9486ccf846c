#include "port.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "credentials.h"
#include "modules.h"
#include "sources.h"

namespace vmcred::guest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause{1};
/// Of one attempt; the kernel's own are two seconds.
constexpr timeval kVsockAttempt{.tv_sec = 0, .tv_usec = 500'000};

/// PCI device numbers of a virtio device, modern and transitional (virtio 1.2 §4.1.2.1), as sysfs writes them.
struct PciNumbers {
  std::string_view modern;
  std::string_view transitional;
};
constexpr PciNumbers kConsole{"0x1043\n", "0x1003\n"};
constexpr PciNumbers kVsock{"0x1053\n", "0x1012\n"};

/// The driver and the bus that the device is on; all buses where it is not seen on PCI. A module that is loaded for
/// nothing is a hundredth of a small guest's boot.
std::vector<std::string> modules_of(const PciNumbers& numbers, const std::string& driver) {
  const std::string folder = "/sys/bus/pci/devices";
  const auto devices = list_folder(folder);
  for (const std::string& device : devices.value_or(std::vector<std::string>{})) {
    const auto vendor = read_file(join_path(join_path(folder, device), "vendor"), 4096);
    const auto number = read_file(join_path(join_path(folder, device), "device"), 4096);
    if (vendor && number && *vendor == "0x1af4\n" && (*number == numbers.modern || *number == numbers.transitional)) {
      return {"virtio_pci", driver};
    }
  }
  return {"virtio_pci", "virtio_mmio", driver};
}

Result<Fd> open_serial(steady_clock::time_point end) {
  bool loaded = false;
  for (;;) {
    const auto device = find_serial_port();
    if (device) {
      Fd fd(::open(device->c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
      if (fd) return fd;
      if (errno == EBUSY) {
        if (steady_clock::now() >= end)
          return fail(Errc::unavailable, "the port '{}' is in use by another process", *device);
      } else if (errno != ENOENT || steady_clock::now() >= end) {
        return fail_errno("open the port '{}'", *device);
      }
    } else if (!std::exchange(loaded, true)) {
      load_modules(modules_of(kConsole, "virtio_console"));
      continue;
    } else if (steady_clock::now() >= end) {
      return hint(fail(Errc::not_found, "this machine has no virtio-serial port '{}'", link::kLinkName),
                  "the kernel needs virtio_console, and virtio_pci or virtio_mmio");
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<Fd> open_vsock(std::uint32_t port, steady_clock::time_point end) {
  bool loaded = false;
  for (;;) {
    Fd fd(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)::setsockopt(fd.get(), AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &kVsockAttempt, sizeof kVsockAttempt);
    sockaddr_vm address = {};
    address.svm_family = AF_VSOCK;
    address.svm_cid = VMADDR_CID_HOST;
    address.svm_port = port;
    if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {  // NOLINT
      TRY(set_nonblocking(fd, true));
      return fd;
    }
    const int error = errno;
    if (!std::exchange(loaded, true)) {
      load_modules(modules_of(kVsock, "vmw_vsock_virtio_transport"));
      continue;
    }
    if (steady_clock::now() >= end)
      return system_failure(error, fmt::format("connect to the host's vsock port {}", port));
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Result<link::Address> read_address() {
  const char* const own = std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe)
  for (const std::string& folder : {std::string(own == nullptr ? "" : own), std::string(kSystemFolder)}) {
    if (folder.empty()) continue;
    const auto line = read_secret(join_path(folder, link::kLinkName), 256);
    if (line) return link::parse_link_line(line->bytes());
    if (line.error().code != Errc::not_found) return std::unexpected(line.error());
  }
  // PID 1 may have received nothing (import switched off, a module that came late, a confidential machine).
  if (!is_folder(kSystemFolder)) {
    load_modules({"dmi_sysfs", "qemu_fw_cfg"});
    const Offers offers = read_offers();
    const auto offered = std::ranges::find(offers.offered, link::kLinkName, &Offered::name);
    if (offered != offers.offered.end()) return link::parse_link_line(offered->value.bytes());
  }
  return hint(fail(Errc::not_found, "there is no credential '{}'", link::kLinkName),
              "only vmcred's vms with a link have one");
}

std::optional<std::string> find_serial_port(const std::string& sys) {
  const std::string folder = join_path(sys, "class/virtio-ports");
  const auto ports = list_folder(folder);
  if (!ports) return std::nullopt;
  for (const std::string& port : *ports) {
    const auto name =
        read_file(join_path(join_path(folder, port), "name"), 4096);  // sysfs says 4096 bytes of every file
    if (name && *name == std::string(link::kLinkName) + "\n") return "/dev/" + port;
  }
  return std::nullopt;
}

Result<Fd> open_port(const link::Address& address, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  return address.transport == link::Transport::serial ? open_serial(end) : open_vsock(address.vsock_port, end);
}

}  // namespace vmcred::guest
