// microvm@NAME.service.d/50-vmcred.conf: what differs from vm to vm.
#include <algorithm>
#include <array>
#include <set>

#include "store/layout.h"
#include "unit/escape.h"
#include "unit/host.h"

namespace vmcred::unit {
namespace {

/// Folders that the template hides from the VMM.
constexpr std::array<std::string_view, 5> kHidden = {"/home", "/root", "/run/user", "/tmp", "/var/tmp"};
constexpr std::array<std::string_view, 3> kHomes = {"/home", "/root", "/run/user"};

bool below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}
template <std::size_t N>
bool below_any(std::string_view path, const std::array<std::string_view, N>& folders) {
  return std::ranges::any_of(folders, [path](std::string_view folder) { return below(path, folder); });
}

Result<std::string> credential_lines(const declare::Declaration& declaration, const declare::Vm& vm, const Host& host) {
  std::string lines;
  std::set<std::string> loaded;  // two guest names may share one host name
  for (const declare::Credential& credential : vm.credentials) {
    if (credential.static_value || !loaded.insert(credential.host).second) continue;
    const std::string what = fmt::format("the credential '{}'", credential.host);
    TRY_LET(const std::string source, source_of(declaration, vm, credential, host));
    TRY_LET(const std::string id, credential_id(credential.host, what));
    TRY_LET(const std::string path, setting_value(source, "the source of " + what));
    lines += fmt::format("LoadCredential={}:{}\n", id, path);
  }
  return lines;
}

/// What the vm may reach besides the system's own files.
struct Access {
  std::set<std::string> read = {};
  std::set<std::string> write = {};
  std::set<std::string> devices = {};
  bool kvm_group = false;
  bool network = false;
  bool tap = false;
};

Access access_of(const declare::Vm& vm, const Host& host) {
  Access access;
  access.read = {host.program, host.project, vm.kernel, vm.initrd, vm.binary, vm.vsock_device};
  for (const declare::Share& share : vm.shares) access.read.insert(share.socket);
  for (const declare::Disk& disk : vm.disks) {
    if (below(disk.path, "/dev")) {
      access.devices.insert(disk.path + (disk.read_only ? " r" : " rw"));
    } else {
      (disk.read_only ? access.read : access.write).insert(disk.path);
    }
  }
  for (const declare::Network& network : vm.networks) {
    access.network = true;
    access.tap = access.tap || network.type == "tap";
  }
  if (vm.accel != declare::Accel::tcg) access.devices.insert("/dev/kvm rw");
  const bool kernel_vsock = vm.vsock_cid && vm.vsock_device.empty();
  if (kernel_vsock) access.devices.insert("/dev/vhost-vsock rw");
  access.kvm_group = !access.devices.empty() && (vm.accel != declare::Accel::tcg || kernel_vsock);
  if (access.tap) access.devices.insert("/dev/net/tun rw");
  std::erase_if(access.read, [](const std::string& path) { return !path.starts_with('/'); });
  return access;
}

/// Whether a folder above `path` is named as well.
bool covered(const std::string& path, const std::set<std::string>& paths) {
  for (auto slash = path.rfind('/'); slash != std::string::npos && slash > 0; slash = path.rfind('/', slash - 1)) {
    if (paths.contains(path.substr(0, slash))) return true;
  }
  return false;
}

/// Only what the template hides has to be named to be read; what is written has to be named unless it is the vm's own.
Result<std::string> path_lines(const Access& access, const std::string& vm) {
  std::string lines;
  bool homes = false;
  for (const std::string& path : access.read) {
    if (!below_any(path, kHidden) || covered(path, access.read)) continue;
    homes = homes || below_any(path, kHomes);
    TRY_LET(const std::string word, setting_word(path, Splitting::words, fmt::format("the path '{}'", path)));
    lines += fmt::format("BindReadOnlyPaths={}\n", word);
  }
  for (const std::string& path : access.write) {
    if (below(path, "/var/lib/vmcred/" + vm)) continue;
    homes = homes || below_any(path, kHomes);
    TRY_LET(const std::string word, setting_word(path, Splitting::words, fmt::format("the path '{}'", path)));
    lines += fmt::format("{}={}\n", below_any(path, kHidden) ? "BindPaths" : "ReadWritePaths", word);
  }
  return homes ? "ProtectHome=tmpfs\n" + lines : lines;
}

/// The private /dev of the template stays; a device is bound into it. The '-' lets a host without it start.
Result<std::string> device_lines(const Access& access, const Host& host) {
  std::string lines;
  for (const std::string& device : access.devices) {
    const std::string path = device.substr(0, device.rfind(' '));
    TRY_LET(const std::string word, setting_word(path, Splitting::words, fmt::format("the device '{}'", path)));
    lines += fmt::format("DeviceAllow={}{}\nBindPaths=-{}\n", word, device.substr(device.rfind(' ')), word);
  }
  if (access.kvm_group && !host.kvm_group.empty()) lines += fmt::format("SupplementaryGroups={}\n", host.kvm_group);
  return lines;
}

std::string network_lines(const Access& access) {
  if (!access.network) return "";
  std::string lines = "PrivateNetwork=no\nIPAddressDeny=\nRestrictAddressFamilies=AF_INET AF_INET6\n";
  if (access.tap)
    lines +=
        "# The tap device must belong to the vm's user; that user must be the host's, not a private "
        "one.\nPrivateUsers=no\n";
  return lines;
}

void append_part(std::string& text, std::string_view why, const std::string& lines) {
  if (!lines.empty()) text += fmt::format("\n# {}\n{}", why, lines);
}

}  // namespace

Result<std::string> source_of(const declare::Declaration& declaration, const declare::Vm& vm,
                              const declare::Credential& credential, const Host& host) {
  if (const auto* const path = std::get_if<std::string>(&credential.from)) return *path;
  const auto* const ref = std::get_if<declare::VarRef>(&credential.from);
  if (ref == nullptr)
    return fail(Errc::usage, "the credential '{}' has a static value and no source", credential.guest);
  TRY_LET(const store::VarId id, store::resolve_for_vm(declaration, *ref, vm));
  const declare::File& file = declaration.generators.at(ref->generator).files.at(ref->file);
  if (!file.deploy) {
    return hint(fail(Errc::invalid_data, "the credential '{}' comes from '{}/{}', which is not deployed to machines",
                     credential.host, ref->generator, ref->file),
                "remove 'deploy = false' from the file");
  }
  return host.vars + "/" + store::rel_path(id);
}

Result<UnitFile> vm_drop_in(const declare::Declaration& declaration, const declare::Vm& vm, const Host& host) {
  const Access access = access_of(vm, host);
  std::string text = fmt::format("{}\n\n[Service]\nUser={}\n", kMark, user_of(vm.name));
  TRY_LET(const std::string credentials, credential_lines(declaration, vm, host));
  append_part(text, "The secrets, from the vars of the machine. A missing one ends the start before the VMM runs.",
              credentials);
  TRY_LET(const std::string devices, device_lines(access, host));
  append_part(text, "Devices.", devices);
  append_part(text, "The guest's network.", network_lines(access));
  TRY_LET(const std::string paths, path_lines(access, vm.name));
  append_part(text, "Files that the confinement would hide, and disks.", paths);
  if (vm.receipt_timeout || vm.start_timeout) {
    using std::chrono::seconds;
    const seconds limit =
        vm.start_timeout.value_or(seconds(30)) + vm.receipt_timeout.value_or(seconds(300)) + seconds(30);
    append_part(text, "The limits of the VMM's start and of the receipt, and half a minute.",
                fmt::format("TimeoutStartSec={}s\n", limit.count()));
  }
  return UnitFile{unit_name_of(vm.name) + ".d/50-vmcred.conf", std::move(text)};
}

}  // namespace vmcred::unit
