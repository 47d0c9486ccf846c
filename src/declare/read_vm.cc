// A vm: its machine, its hypervisor, its devices and its guest.
#include <algorithm>

#include "declare/keys.h"
#include "declare/names.h"
#include "declare/read.h"
#include "declare/values.h"
#include "shape/secret_shape.h"

namespace vmcred::declare {
namespace {

constexpr std::int64_t kMaxVcpus = 4096;
constexpr std::uint64_t kLeastMemory = 1024 * 1024;
constexpr std::int64_t kMaxCid = 0xfffffffe;  // 0, 1 and 2 are the hypervisor, local and host

void read_machine_of(const Table& table, const Declaration& declaration, Vm& vm) {
  std::vector<std::string_view> names;
  for (const auto& [name, machine] : declaration.machines) names.push_back(name);
  if (const auto given = table.text("machine")) {
    vm.machine = *given;
    if (names.empty() || declaration.machines.contains(*given)) return;
    const bool type = std::ranges::find(kQemuMachines, *given) != std::end(kQemuMachines);
    table.problem("machine", Fault::unknown_reference, fmt::format("no machine '{}' is declared", *given),
                  type ? fmt::format("'machine' is the host; QEMU's machine type is qemu.machine = \"{}\"", *given)
                       : hint_for(*given, names, "declared are"));
  } else if (names.size() == 1) {
    vm.machine = names.front();
  } else if (names.size() > 1) {
    table.problem("machine", Fault::missing_key, "'machine' is missing, and there are several machines",
                  "name the host that runs this vm");
  }
}

std::string path_at(const Table& table, std::string_view key, const std::string& folder) {
  const auto given = table.text(key);
  if (!given) return {};
  if (!plain_text(*given)) table.problem(key, Fault::bad_value, fmt::format("'{}' is not a path", key));
  return absolute_path(folder, *given);
}

/// It stands in the hypervisor's arguments and in the guest's /proc/cmdline.
void read_kernel_line(const Table& table, Vm& vm) {
  vm.command_line = table.text_or("command-line", "");
  if (const auto what = shape::looks_like_secret(vm.command_line)) {
    table.problem("command-line", Fault::secret_in_static,
                  fmt::format("'command-line' holds what looks like a secret: {}", *what),
                  "everybody in the guest reads /proc/cmdline: make it a credential of the vm");
  }
}

bool valid_mac(std::string_view text) {
  if (text.size() != 17) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool colon = text[i] == ':';
    const bool hex =
        (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f') || (text[i] >= 'A' && text[i] <= 'F');
    if (i % 3 == 2 ? !colon : !hex) return false;
  }
  return true;
}

bool valid_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string_view::npos) return false;
  const int port = std::stoi(std::string(text));
  return port > 0 && port < 65536;
}

// PROTOCOL:HOST-ADDRESS:HOST-PORT:GUEST-PORT; the address may be empty.
bool valid_forward(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(':', start), text.size());
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  if (parts.size() != 4 || (parts[0] != "tcp" && parts[0] != "udp")) return false;
  return parts[1].find_first_not_of("0123456789.") == std::string_view::npos && valid_port(parts[2]) &&
         valid_port(parts[3]);
}

void read_devices(const Table& table, const Declaration& declaration, Vm& vm) {
  Report& report = table.report();
  table.each_element("disks", [&](const Entry& member, const std::string& pointer) {
    const Table disk(report, member, pointer, table.label() + ": disk", kDiskKeys);
    if (!disk.has("path")) disk.problem("path", Fault::missing_key, "'path' is missing");
    vm.disks.push_back({.path = path_at(disk, "path", declaration.folder),
                        .read_only = disk.flag("read-only", false),
                        .format = disk.word_or("format", "raw", kDiskFormats)});
  });
  table.each_element("networks", [&](const Entry& member, const std::string& pointer) {
    const Table net(report, member, pointer, table.label() + ": network", kNetworkKeys);
    Network network{.type = net.word_or("type", "user", kNetworkTypes),
                    .tap = net.text_or("tap", ""),
                    .mac = net.text_or("mac", "")};
    std::vector<Place> places;
    network.forward = net.texts("forward", &places);
    for (std::size_t i = 0; i < network.forward.size(); ++i) {
      if (valid_forward(network.forward[i])) continue;
      report.add(Fault::bad_value, places[i], fmt::format("{}: '{}' is not a forward", net.label(), network.forward[i]),
                 "such as \"tcp:127.0.0.1:2222:22\": protocol, address and port of the host, port of the guest");
    }
    if (network.type == "tap" && network.tap.empty()) {
      net.problem("tap", Fault::missing_key, "'tap' is missing", "the name of the host's tap device");
    }
    if (network.type == "user" && !network.tap.empty()) {
      net.problem("tap", Fault::bad_value, "'tap' needs type = \"tap\"");
    }
    if (network.type == "tap" && !network.forward.empty()) {
      net.problem("forward", Fault::bad_value, "'forward' needs type = \"user\"");
    }
    if (!network.mac.empty() && !valid_mac(network.mac)) {
      net.problem("mac", Fault::bad_value, fmt::format("'mac' cannot be '{}'", network.mac),
                  "such as \"02:00:00:00:00:01\"");
    }
    vm.networks.push_back(std::move(network));
  });
  table.each_element("shares", [&](const Entry& member, const std::string& pointer) {
    const Table share(report, member, pointer, table.label() + ": share", kShareKeys);
    for (const std::string_view key : kShareKeys)
      if (!share.has(key)) share.problem(key, Fault::missing_key, fmt::format("'{}' is missing", key));
    vm.shares.push_back({.tag = share.text_or("tag", ""), .socket = path_at(share, "socket", declaration.folder)});
  });
  if (const auto cid = table.integer("vsock-cid", 3, kMaxCid)) vm.vsock_cid = static_cast<unsigned>(*cid);
}

void read_limit(const Table& table, std::string_view key, const char* example,
                std::optional<std::chrono::seconds>& limit) {
  const auto text = table.text(key);
  if (!text) return;
  limit = parse_seconds(*text);
  if (limit && limit->count() > 0) return;
  limit.reset();
  table.problem(key, Fault::bad_value, fmt::format("'{}' cannot be '{}'", key, *text), example);
}

void read_size_and_time(const Table& table, Vm& vm) {
  if (const Node* memory = table.find("memory"); memory != nullptr && memory->if_integer() != nullptr) {
    table.problem("memory", Fault::wrong_type, "'memory' must be a string with a unit, not an integer",
                  "write memory = \"512M\"");
  } else if (const auto text = table.text("memory")) {
    const auto bytes = parse_size(*text);
    if (bytes && *bytes >= kLeastMemory) {
      vm.memory_bytes = *bytes;
    } else {
      table.problem("memory", Fault::bad_value, fmt::format("'memory' cannot be '{}'", *text),
                    "such as \"512M\" or \"2G\"");
    }
  }
  if (const auto vcpus = table.integer("vcpus", 1, kMaxVcpus)) vm.vcpus = static_cast<unsigned>(*vcpus);
  read_limit(table, "receipt-timeout", "such as \"90s\" or \"5m\"", vm.receipt_timeout);
  read_limit(table, "start-timeout", "such as \"30s\" or \"2m\"", vm.start_timeout);
}

/// "54", "54.0" or "v54.0": what a version is compared by, and nothing else.
void read_vmm_version(const Table& table, Vm& vm, Report& report) {
  const Table vmm = table.table("vmm", table.label() + ": vmm", kVmmKeys);
  vm.vmm_version = vmm.text_or("version", "");
  if (vm.vmm_version.empty()) return;
  std::string_view rest = vm.vmm_version;
  if (rest.starts_with('v')) rest.remove_prefix(1);
  const bool numbers = rest.find_first_not_of("0123456789.") == std::string_view::npos && !rest.empty() &&
                       rest.front() != '.' && rest.back() != '.';
  if (!numbers)
    report.add(Fault::bad_value, vmm.place(),
               fmt::format("{}: vmm.version '{}' is no version", table.label(), vm.vmm_version),
               "write the version whose limits hold, such as \"54.0\"");
}

}  // namespace

Vm read_vm(const Entry& member, const std::string& pointer, const Declaration& declaration, Report& report) {
  const Table table(report, member, pointer, fmt::format("vm '{}'", member.key), kVmKeys);
  if (!valid_vm_name(member.key)) {
    report.add(Fault::bad_name, table.place(), fmt::format("'{}' cannot be the name of a vm", member.key),
               "up to 63 lower-case letters, digits and '-', not at the ends");
  }
  Vm vm{.name = member.key, .machine = {}, .place = table.place()};
  read_machine_of(table, declaration, vm);
  vm.hypervisor = table.choice<Hypervisor>("hypervisor").value_or(Hypervisor::qemu);
  vm.architecture = table.word_or("architecture", "x86_64", kArchitectures);
  const std::string_view machine_type = vm.architecture == "aarch64" ? "virt" : "q35";
  const Table qemu = table.table("qemu", table.label() + ": qemu", kQemuKeys);
  vm.qemu_machine = qemu.word_or("machine", machine_type, kQemuMachines);
  vm.vsock_device = qemu.text_or("vsock-device", "");
  if (vm.vsock_device.find('/') != std::string::npos)
    vm.vsock_device = absolute_path(declaration.folder, vm.vsock_device);
  read_vmm_version(table, vm, report);
  vm.binary = table.text_or("binary", "");
  if (vm.binary.find('/') != std::string::npos) vm.binary = absolute_path(declaration.folder, vm.binary);
  vm.kernel = path_at(table, "kernel", declaration.folder);
  vm.initrd = path_at(table, "initrd", declaration.folder);
  read_kernel_line(table, vm);
  read_size_and_time(table, vm);
  vm.accel = table.choice<Accel>("accel").value_or(Accel::automatic);
  vm.delivery = table.choice<Delivery>("delivery").value_or(Delivery::automatic);
  vm.receipt = table.choice<ReceiptMode>("receipt");
  read_devices(table, declaration, vm);
  vm.extra_arguments = table.texts("extra-arguments");
  std::vector<Place> places;
  vm.allowed_options = table.texts("allow-options", &places);
  for (std::size_t i = 0; i < vm.allowed_options.size(); ++i) {
    if (valid_allowed_option(vm.allowed_options[i])) continue;
    report.add(Fault::bad_value, places[i],
               fmt::format("{}: '{}' is no option that can be allowed", table.label(), vm.allowed_options[i]),
               std::string(kAllowedOptionHint));
  }
  const Table guest = table.table("guest", table.label() + ": guest", kGuestKeys);
  if (const auto version = guest.integer("systemd", 240, 999)) vm.guest.systemd = static_cast<int>(*version);
  vm.guest.systemd_in_initrd = guest.flag("systemd-in-initrd", false);
  vm.guest.agent = guest.flag("agent", false);
  if (vm.receipt == ReceiptMode::required && !vm.guest.agent) {
    table.problem("receipt", Fault::bad_value, "'receipt' cannot be 'required' without the guest's agent",
                  "put vmcred-guest into the image and say guest.agent = true");
  }
  read_credentials(table, guest, declaration, vm);
  return vm;
}

}  // namespace vmcred::declare
