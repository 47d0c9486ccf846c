#include "credential/capability.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "credential/limits.h"
#include "credential/oem_string.h"
#include "declare/words.h"

namespace vmcred::credential {
namespace {

using declare::Hypervisor;

constexpr int kLastWithSmallBody = 53;

/// The first systemd whose PID 1 imports credentials from each place, by systemd's NEWS: 251 from QEMU's fw_cfg and
/// from systemd.set_credential= on the kernel's line, 252 from SMBIOS type 11 (and so from cloud-hypervisor's OEM
/// strings). systemd 262 reads the initrd (limits.h).
constexpr int kFirstWithFwCfg = 251;
constexpr int kFirstWithKernelLine = 251;
constexpr int kFirstWithSmbios = 252;

/// Closes a way for all but the link's token where the guest's systemd is older than `first`.
Way read_from(Way way, const declare::Vm& vm, int first, std::string_view what) {
  if (vm.guest.systemd >= first) return way;
  way.unread =
      fmt::format("systemd {} imports nothing from {}, {} is the first that does", vm.guest.systemd, what, first);
  way.remedy = fmt::format("use a guest with systemd {}, and declare it", first);
  return way;
}

std::size_t table_room(const declare::Vm& vm) {
  const std::size_t dimms = std::min<std::size_t>((vm.memory_bytes + kBytesOfADimm - 1) / kBytesOfADimm, 256);
  return std::min(kMaxStructures, kEntryPointTable - kStandardTables - kTableOfADimm * dimms);
}

Way structures_way(const declare::Vm& vm, Channel channel) {
  const bool one_page = vm.guest.systemd < kFirstWithWholeStructures;
  const std::size_t structure = one_page ? kPageStructure : table_room(vm);
  Way way = {.channel = channel,
             .item_bytes = structure - kStructureOverhead,
             .total_bytes = channel == Channel::api ? structure : table_room(vm),
             .count = kMaxStrings};
  if (one_page) {
    way.limit =
        fmt::format("systemd {} reads only the first {} bytes of a structure", vm.guest.systemd, kPageStructure);
    way.remedy = fmt::format("declare guest.systemd = {} if the guest has it", kFirstWithWholeStructures);
  } else {
    way.limit = "all SMBIOS tables together must stay below 64 KiB";
  }
  return way;
}

Way smbios_way(const declare::Vm& vm) {
  Way way = structures_way(vm, Channel::smbios);
  if (vm.qemu_machine == "microvm") {
    way.closed = "QEMU makes no SMBIOS tables for the machine type 'microvm'";
    way.remedy = "use qemu.machine = \"q35\"";
  } else if (vm.qemu_machine == "virt") {
    way.closed = "the machine type 'virt' publishes SMBIOS tables only through UEFI firmware";
    way.remedy = {};
  }
  return way;
}

Way fw_cfg_way() {
  return {.channel = Channel::fw_cfg,
          .item_bytes = kMaxCredential,
          .total_bytes = kMaxCredentials,
          .count = kMaxFwCfgItems,
          .name_bytes = kMaxFwCfgName,
          .limit = "fw_cfg names end at 55 bytes, 'opt/io.systemd.credentials/' among them"};
}

/// The word of `version` that names commits after a tag, "v53.0-246-g1a2b3c4"; "" where there is none.
std::string between_versions(std::string_view version) {
  while (!version.empty()) {
    const std::string_view word = take_until(version, ' ');
    const std::size_t mark = word.rfind("-g");
    const std::size_t count =
        mark == std::string_view::npos || mark == 0 ? std::string_view::npos : word.rfind('-', mark - 1);
    if (count == std::string_view::npos || count + 1 == mark) continue;
    const std::string_view commits = word.substr(count + 1, mark - count - 1);
    if (commits.find_first_not_of("0123456789") == std::string_view::npos) return std::string(word);
  }
  return {};
}

Way api_way(const declare::Vm& vm, const std::string& version) {
  Way way = structures_way(vm, Channel::api);
  if (vm.architecture != "x86_64") {
    way.closed = "cloud-hypervisor drops OEM strings on " + vm.architecture;
    way.remedy = {};
    return way;
  }
  if (vm.guest.systemd < kFirstWithWholeStructures) way.limit += ", and cloud-hypervisor makes only one";
  const std::size_t body = major_version(version) > kLastWithSmallBody ? kLargeBody : kSmallBody;
  if (body - kRestOfBody < way.total_bytes) {
    way.total_bytes = body - kRestOfBody;
    way.item_bytes = way.total_bytes - kStructureOverhead;
    way.limit = fmt::format("cloud-hypervisor up to v{}.0 takes requests of {} bytes", kLastWithSmallBody, kSmallBody);
    // git-describe(1): a build from between two versions, which may have either limit.
    if (const std::string built = between_versions(version); !built.empty())
      way.limit += fmt::format(", and '{}' counts as one", built);
    way.remedy = "use a later cloud-hypervisor; if yours takes more, declare vmm.version = \"54.0\"";
  }
  return way;
}

Way initrd_way(const declare::Vm& vm) {
  Way way = {.channel = Channel::initrd,
             .item_bytes = kMaxCredential,
             .total_bytes = kMaxCredentials,
             .count = kMaxPages,
             .name_bytes = 250,  // with .cred a file name of 255
             .limit = "file names end at 255 bytes, '.cred' among them"};
  if (vm.guest.systemd < kFirstWithInitrd) {
    way.closed = fmt::format("systemd {} imports nothing from the initrd that the host can seal, {} does",
                             vm.guest.systemd, kFirstWithInitrd);
    way.remedy = fmt::format("use a guest with systemd {} in its initrd", kFirstWithInitrd);
  } else if (!vm.guest.systemd_in_initrd) {
    way.closed = "the guest's initrd is not declared to run systemd";
    way.remedy = "declare guest.systemd-in-initrd = true if it does";
  } else if (vm.initrd.empty()) {
    way.closed = "the vm has no initrd";
    way.remedy = "declare an initrd that runs systemd";
  }
  return way;
}

/// For VMMs that can hand the kernel line over without an argument of their own: through an API.
Way kernel_line_way(const declare::Vm& vm) {
  Way way = {.channel = Channel::kernel_line,
             .item_bytes = kMaxKernelWords,
             .total_bytes = kMaxKernelWords,
             .count = SIZE_MAX,
             .limit = "the kernel line has room for no more"};
  if (vm.kernel.empty()) {
    way.closed = "the vm has no kernel of its own";
    way.remedy = "declare kernel = \"…\"";
  }
  return way;
}

Way reference_way(const declare::Vm& vm, bool with_reference) {
  Way way = {.channel = Channel::reference, .item_bytes = kMaxCredential, .total_bytes = SIZE_MAX, .count = SIZE_MAX};
  if (vm.delivery == declare::Delivery::value) {
    way.closed = "delivery = \"value\" rules out the reference";
    way.remedy = "declare delivery = \"auto\"";
  } else if (!has_link(vm)) {
    way.closed = fmt::format("{} has no link to the supervisor", declare::word(vm.hypervisor));
  } else if (!vm.guest.agent) {
    way.closed = "a reference needs vmcred-guest in the image";
    way.remedy = "declare guest.agent = true if the image has it";
  } else if (!with_reference) {
    way.closed = "there is no link to the guest on this launch";
  }
  return way;
}

}  // namespace

int major_version(std::string_view version) {
  const std::size_t digits = version.find_first_of("0123456789");
  if (digits == std::string_view::npos) return 0;
  version.remove_prefix(digits);
  int number = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), number);
  return error == std::errc::result_out_of_range ? std::numeric_limits<int>::max() : number;
}

std::string_view counting_version(const declare::Vm& vm, std::string_view told) {
  return vm.vmm_version.empty() ? told : std::string_view(vm.vmm_version);
}

std::string too_old(const declare::Vm& vm, std::string_view told) {
  const std::string_view version = counting_version(vm, told);
  struct Floor {
    Hypervisor hypervisor;
    int major;
    int minor;
    std::string_view what;
  };
  // QEMU 2.12 takes `-fw_cfg file=` on all machine types, 5.2 several `-smbios file=` with type 11; cloud-hypervisor
  // v26.0 has platform.oem_strings; Firecracker's API is stable from 1.0 on.
  const bool tables = vm.qemu_machine == "q35" || vm.qemu_machine == "pc";
  const Floor floors[] = {{Hypervisor::qemu, tables ? 5 : 2, tables ? 2 : 12, "QEMU"},
                          {Hypervisor::cloud_hypervisor, 26, 0, "cloud-hypervisor"},
                          {Hypervisor::firecracker, 1, 0, "Firecracker"}};
  const auto floor = std::ranges::find(floors, vm.hypervisor, &Floor::hypervisor);
  const std::size_t digits = version.find_first_of("0123456789");
  const int major = major_version(version);
  if (floor == std::end(floors) || digits == std::string_view::npos || major > floor->major) return {};
  const std::size_t dot = version.find('.', digits);
  const int minor = dot == std::string_view::npos ? 0 : major_version(version.substr(dot));
  if (major == floor->major && minor >= floor->minor) return {};
  return fmt::format("{} {}.{} is too old, {}.{} is the first that carries credentials as planned", floor->what, major,
                     minor, floor->major, floor->minor);
}

bool has_link(const declare::Vm& vm) {
  return vm.hypervisor != Hypervisor::crosvm && vm.hypervisor != Hypervisor::kvmtool;
}

bool has_hybrid_vsock(const declare::Vm& vm, bool with_link) {
  switch (vm.hypervisor) {
    case Hypervisor::qemu:
      return !vm.vsock_device.empty();
    case Hypervisor::cloud_hypervisor:
    case Hypervisor::firecracker:
      return with_link || vm.vsock_cid.has_value();
    case Hypervisor::crosvm:
    case Hypervisor::kvmtool:
      return false;
  }
  return false;
}

std::vector<Way> ways_into(const declare::Vm& vm, const std::string& told, bool with_reference) {
  const std::string version(counting_version(vm, told));
  std::vector<Way> ways;
  switch (vm.hypervisor) {
    case Hypervisor::qemu:
      ways.push_back(read_from(smbios_way(vm), vm, kFirstWithSmbios, "SMBIOS"));
      ways.push_back(read_from(fw_cfg_way(), vm, kFirstWithFwCfg, "fw_cfg"));
      break;
    case Hypervisor::cloud_hypervisor:
      ways.push_back(read_from(api_way(vm, version), vm, kFirstWithSmbios, "SMBIOS"));
      break;
    case Hypervisor::crosvm:
    case Hypervisor::firecracker:
    case Hypervisor::kvmtool:
      break;
  }
  ways.push_back(initrd_way(vm));
  const bool api = vm.hypervisor == Hypervisor::firecracker || vm.hypervisor == Hypervisor::cloud_hypervisor;
  if (api) ways.push_back(read_from(kernel_line_way(vm), vm, kFirstWithKernelLine, "the kernel's line"));
  ways.push_back(reference_way(vm, with_reference));
  return ways;
}

std::vector<Capability> capabilities() {
  return {
      {"qemu q35, pc", "smbios, fw_cfg, initrd, reference",
       "4096 bytes a structure before systemd 257, 61440 in all; fw_cfg: names of 28 bytes, 1 MiB", "QEMU 5.2"},
      {"qemu microvm, virt", "fw_cfg, initrd, reference", "names of 28 bytes, 1 MiB, 512 items", "QEMU 2.12"},
      {"cloud-hypervisor x86_64", "api, initrd, reference",
       "one structure: 4096 bytes in all before systemd 257; requests of 51200 bytes up to v53.0", "v26.0"},
      {"cloud-hypervisor aarch64", "initrd, kernel-line, reference",
       "initrd: systemd 262 in it; kernel line: static values and the link's token, 1024 bytes", "v26.0"},
      {"firecracker", "initrd, kernel-line, reference",
       "initrd: systemd 262 in it; kernel line: static values and the link's token, 1024 bytes", "v1.0"},
      {"crosvm, kvmtool", "initrd", "systemd 262 in the initrd; no link", "any"},
  };
}

}  // namespace vmcred::credential
