#include "vmm/qemu/qemu.h"

#include <algorithm>
#include <array>

#include "vmm/blob.h"
#include "vmm/qemu/arguments.h"
#include "vmm/qemu/delivery.h"
#include "vmm/qemu/extra.h"
#include "vmm/qemu/guard.h"

namespace vmcred::vmm::qemu {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr unsigned kFirstGuestCid = 3;

/// What differs between machine types.
struct Board {
  std::string_view name;
  bool arm = false;
  std::string_view bus = "pci";  ///< the suffix of its virtio devices
  std::string_view console = "ttyS0";
  std::string_view kernel_line = {};
  bool panics = false;  ///< has an ISA bus that ACPI describes: the guest finds a pvpanic there
};
constexpr std::array kBoards = {
    Board{.name = "q35", .panics = true},
    Board{.name = "pc", .panics = true},
    // No keyboard controller and no ACPI reset: a triple fault is the one way to reset.
    Board{.name = "microvm", .bus = "device", .kernel_line = "reboot=t"},
    Board{.name = "virt", .arm = true, .console = "ttyAMA0"},
};

Result<Board> board_of(const declare::Vm& vm) {
  const auto board = std::ranges::find(kBoards, std::string_view(vm.qemu_machine), &Board::name);
  if (board == kBoards.end()) {
    return hint(fail(Errc::usage, "no QEMU machine type '{}'", vm.qemu_machine), "one of q35, pc, microvm, virt");
  }
  if (board->arm != (vm.architecture == "aarch64")) {
    return hint(fail(Errc::usage, "the machine type '{}' is not one of {}", vm.qemu_machine, vm.architecture),
                board->arm ? "declare architecture = \"aarch64\"" : "use qemu.machine = \"virt\"");
  }
  return *board;
}

/// The model that TCG pretends to be: x86-64-v2, which today's distributions need. "max" costs a tenth more time until
/// the receipt (five-level page tables, wide vectors), and nothing in a small guest wants them.
constexpr std::string_view kEmulatedCpu = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt";

/// A launch while it is put together.
struct Builder {
  const declare::Vm& vm;
  const credential::Plan& plan;
  const Context& context;
  Board board;
  Launch launch = {};
  Arguments arguments;

  [[nodiscard]] std::string device(std::string_view model) const { return fmt::format("{}-{}", model, board.bus); }
  /// Servers of vhost-user devices map the guest's memory.
  [[nodiscard]] bool shares_memory() const { return !vm.shares.empty() || !vm.vsock_device.empty(); }
};

void put_machine(Builder& b) {
  const bool kvm = b.context.accel == declare::Accel::kvm;
  b.arguments.option("name", "", {{"guest", b.vm.name}});
  b.arguments.flag("no-user-config");
  b.arguments.flag("nodefaults");
  b.arguments.option("machine", b.vm.qemu_machine,
                     {{"accel", kvm ? "kvm" : "tcg"},
                      {"dump-guest-core", "off"},
                      {"mem-merge", "off"},
                      {"memory-backend", b.shares_memory() ? "memory" : ""}});
  b.arguments.option("cpu", kvm ? "host" : std::string(b.board.arm ? "max" : kEmulatedCpu));
  b.arguments.option("smp", "", {{"cpus", std::to_string(b.vm.vcpus)}, {"sockets", "1"}});
  const std::uint64_t bytes = b.vm.memory_bytes;
  b.arguments.option("m", bytes % kMebibyte == 0 ? fmt::format("{}M", bytes / kMebibyte) : fmt::format("{}B", bytes));
  if (b.shares_memory()) {
    b.arguments.option(
        "object", "memory-backend-memfd",
        {{"id", "memory"}, {"size", std::to_string(bytes)}, {"share", "on"}, {"dump", "off"}, {"merge", "off"}});
  }
}

/// The supervisor's hold on QEMU: stopped until it says so, and ended rather than reset.
void put_supervision(Builder& b) {
  b.arguments.option(
      "sandbox", "on",
      {{"obsolete", "deny"}, {"elevateprivileges", "deny"}, {"spawn", "deny"}, {"resourcecontrol", "deny"}});
  b.arguments.flag("S");
  b.arguments.flag("no-reboot");
  b.arguments.option("chardev", "socket", {{"id", "qmp"}, {"fd", std::to_string(b.launch.control_fd)}});
  b.arguments.option("mon", "", {{"chardev", "qmp"}, {"mode", "control"}});
  if (!b.context.runtime_folder.empty()) {
    b.launch.guards.push_back({Guard::Protocol::qmp, b.context.runtime_folder + "/qmp.sock"});
  }
  put_guard(b.arguments, b.launch, b.context);
  b.arguments.option("display", "none");
  b.arguments.option("chardev", "stdio", {{"id", "console"}, {"signal", "off"}});
  b.arguments.option("serial", "chardev:console");
}

std::string kernel_line(const Builder& b) {
  std::string line = fmt::format("console={} panic=-1", b.board.console);
  if (!b.board.kernel_line.empty()) line += fmt::format(" {}", b.board.kernel_line);
  // Without a PIT that keeps time and without HPET or PM timer Linux cannot calibrate the TSC there, and hangs.
  const bool needs_tsc = b.board.name == "microvm" && b.context.accel == declare::Accel::tcg;
  if (needs_tsc) line += clock_words(b.vm.command_line, b.context.host_tsc_khz);
  // There Linux waits a few ticks of its own clock for the PIT's interrupt; on a busy host it comes too late: a panic.
  const bool has_pit = b.board.name == "q35" || b.board.name == "pc";
  if (has_pit && b.context.accel == declare::Accel::tcg) line += " no_timer_check";
  if (!b.vm.command_line.empty()) line += fmt::format(" {}", b.vm.command_line);
  return line;
}

Result<> put_kernel(Builder& b) {
  if (b.vm.kernel.empty()) {
    if (!b.vm.initrd.empty() || !b.vm.command_line.empty()) {
      return hint(fail(Errc::usage, "the vm '{}' has an initrd or a command line, but no kernel", b.vm.name),
                  "declare kernel = \"…\"");
    }
    return {};
  }
  b.arguments.option("kernel", b.vm.kernel);
  if (!b.plan.initrd.empty()) {
    b.arguments.option("initrd", add_blob(b.launch, InitrdBlob{.base = b.vm.initrd, .entries = b.plan.initrd}));
  } else if (!b.vm.initrd.empty()) {
    b.arguments.option("initrd", b.vm.initrd);
  }
  b.arguments.option("append", kernel_line(b));
  return {};
}

Result<> put_disks(Builder& b) {
  std::size_t number = 0;
  for (const declare::Disk& disk : b.vm.disks) {
    const std::string id = fmt::format("disk{}", number++);
    if (disk.format != "raw" && disk.format != "qcow2") {
      return hint(fail(Errc::usage, "the disk '{}' has the unknown format '{}'", disk.path, disk.format),
                  "one of raw, qcow2");
    }
    // -blockdev wants to be told whether it is a file or a block device; -drive looks.
    b.arguments.option("drive", "",
                       {{"if", "none"},
                        {"id", id},
                        {"format", disk.format},
                        {"readonly", disk.read_only ? "on" : "off"},
                        {"file", disk.path}});
    b.arguments.option("device", b.device("virtio-blk"), {{"drive", id}});
  }
  return {};
}

/// "tcp:127.0.0.1:2222:22" -> "tcp:127.0.0.1:2222-:22"
Result<std::string> forward_rule(const std::string& forward) {
  const std::size_t last = forward.rfind(':');
  const bool known = forward.starts_with("tcp:") || forward.starts_with("udp:");
  if (!known || last == std::string::npos || std::ranges::count(forward, ':') != 3) {
    return hint(fail(Errc::usage, "'{}' is no forwarded port", forward), "for example \"tcp:127.0.0.1:2222:22\"");
  }
  return fmt::format("{}-:{}", forward.substr(0, last), forward.substr(last + 1));
}

Result<> put_networks(Builder& b) {
  std::size_t number = 0;
  for (const declare::Network& network : b.vm.networks) {
    const std::string id = fmt::format("net{}", number++);
    if (network.type == "user") {
      std::string value = "user,id=" + id;
      for (const std::string& forward : network.forward) {
        TRY_LET(const std::string rule, forward_rule(forward));
        value += ",hostfwd=" + comma_doubled(rule);
      }
      b.arguments.option("netdev", std::move(value));
    } else if (network.type == "tap") {
      b.arguments.option("netdev", "tap",
                         {{"id", id}, {"ifname", network.tap}, {"script", "no"}, {"downscript", "no"}});
    } else {
      return hint(fail(Errc::usage, "no network type '{}'", network.type), "one of user, tap");
    }
    std::string value = fmt::format("{},netdev={}", b.device("virtio-net"), id);
    if (!network.mac.empty()) value += ",mac=" + comma_doubled(network.mac);
    if (b.board.bus == "pci") value += ",romfile=";  // nobody boots from it, and not every machine has the file
    b.arguments.option("device", std::move(value));
  }
  return {};
}

/// A vsock of vhost-device-vsock's: what the guest connects to on CID 2 arrives at unix sockets in the runtime folder.
Result<> put_hybrid_vsock(Builder& b) {
  const std::string& folder = b.context.runtime_folder;
  if (folder.find_first_of(",+") != std::string::npos) {
    return hint(fail(Errc::usage, "the runtime folder '{}' cannot be told to {}: it holds a comma or a plus sign",
                     folder, b.vm.vsock_device),
                "choose another XDG_RUNTIME_DIR");
  }
  Helper helper = {.socket = folder + "/vhost-vsock.sock"};
  b.launch.link_path = folder + "/vsock.sock";
  // Every vm has a server of its own, so the number need not differ from that of others.
  helper.argv = {b.vm.vsock_device, "--vm",
                 fmt::format("guest-cid={},socket={},uds-path={}", b.vm.vsock_cid.value_or(kFirstGuestCid),
                             helper.socket, b.launch.link_path)};
  b.arguments.option("chardev", "socket", {{"id", "vsock"}, {"fd", std::to_string(helper.fd)}});
  // The server loses a notification that comes before the ring is enabled. With event_idx the driver would send no
  // other.
  b.arguments.option("device", b.device("vhost-user-vsock"), {{"chardev", "vsock"}, {"event_idx", "off"}});
  b.launch.helpers.push_back(std::move(helper));
  return {};
}

Result<> put_other_devices(Builder& b) {
  b.arguments.option("object", "rng-builtin", {{"id", "random"}});
  b.arguments.option("device", b.device("virtio-rng"), {{"rng", "random"}});
  if (b.board.panics) b.arguments.option("device", "pvpanic");
  std::size_t number = 0;
  for (const declare::Share& share : b.vm.shares) {
    const std::string id = fmt::format("share{}", number++);
    b.arguments.option("chardev", "socket", {{"id", id}, {"path", share.socket}});
    b.arguments.option("device", b.device("vhost-user-fs"), {{"chardev", id}, {"tag", share.tag}});
  }
  if (!b.vm.vsock_device.empty()) return put_hybrid_vsock(b);
  if (b.vm.vsock_cid)
    b.arguments.option("device", b.device("vhost-vsock"), {{"guest-cid", std::to_string(*b.vm.vsock_cid)}});
  return {};
}

}  // namespace

Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context) {
  TRY_LET(const Board board, board_of(vm));
  TRY(check_extra(vm.extra_arguments, AllowedOptions(vm.allowed_options)));
  TRY(credential::check_deliverable(plan));
  Builder b = {.vm = vm, .plan = plan, .context = context, .board = board, .arguments = Arguments(program_of(vm))};
  put_machine(b);
  put_supervision(b);
  put_credentials(b.arguments, b.launch, plan);
  TRY(put_kernel(b));
  if (context.with_link && vm.vsock_device.empty()) put_link(b.arguments, b.launch, board.bus);
  if (context.with_link && !vm.vsock_device.empty()) b.launch.link = LinkKind::vsock;
  TRY(put_disks(b));
  TRY(put_networks(b));
  TRY(put_other_devices(b));
  b.arguments.append(vm.extra_arguments);
  b.launch.argv = b.arguments.take();
  return std::move(b.launch);
}

}  // namespace vmcred::vmm::qemu
