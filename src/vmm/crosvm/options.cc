#include "vmm/crosvm/options.h"

#include <algorithm>
#include <array>

namespace vmcred::vmm::crosvm {
namespace {

constexpr Takes kFlag = Takes::nothing;

/// src/crosvm/cmdline.rs, 2023 to 2026. The control socket (-s) has a rule of its own (conflicts.h).
constexpr auto kListed = std::to_array<ListedOption>({
    {"-m"},
    {"--mem"},
    {"-c"},
    {"--cpus"},
    {"--cpu-affinity"},
    {"--cpu-capacity"},
    {"--cpu-cluster"},
    {"--rt-cpus"},
    {"--core-types"},
    {"--core-scheduling"},
    {"--init-mem"},
    {"--hypervisor"},
    {"--irqchip"},
    {"--name"},
    {"--syslog-tag"},
    {"--userspace-msr"},
    {"-i"},
    {"--initrd"},
    {"-p"},
    {"--params"},
    {"--bios"},
    {"--pflash"},
    {"--android-fstab"},
    {"--acpi-table"},
    {"--smbios"},
    {"--dmi"},
    {"--device-tree-overlay"},
    {"-r"},
    {"--root"},
    {"--rwroot"},
    {"-d"},
    {"--disk"},
    {"--rwdisk"},
    {"-b"},
    {"--block"},
    {"--scsi-block"},
    {"--pmem-device"},
    {"--rw-pmem-device"},
    {"--pmem"},
    {"--pmem-ext2"},
    {"--shared-dir"},
    {"--serial"},
    {"--net"},
    {"--net-vq-pairs"},
    {"--host-ip"},
    {"--netmask"},
    {"--mac"},
    {"--tap-fd"},
    {"--tap-name"},
    {"--vhost-net"},
    {"--vhost-net-device"},
    {"--vsock"},
    {"--cid"},
    {"--vhost-vsock-device"},
    {"--vhost-vsock-fd"},
    {"--vfio"},
    {"--vfio-platform"},
    {"--vhost-user"},
    {"--vhost-user-fs"},
    {"--vhost-user-gpu"},
    {"--gpu"},
    {"--gpu-display"},
    {"--gpu-render-server"},
    {"--gpu-cgroup-path"},
    {"--gpu-server-cgroup-path"},
    {"--wayland-sock"},
    {"--x-display"},
    {"--evdev"},
    {"--input"},
    {"--keyboard"},
    {"--mouse"},
    {"--trackpad"},
    {"--single-touch"},
    {"--multi-touch"},
    {"--switches"},
    {"--rotary"},
    {"--sound"},
    {"--ac97"},
    {"--virtio-snd"},
    {"--cras-snd"},
    {"--battery"},
    {"--goldfish-battery"},
    {"--seccomp-policy-dir"},
    {"--pivot-root"},
    {"--balloon-bias-mib"},
    {"--async-executor"},
    {"--pcie-ecam"},
    {"--pci"},
    {"--pci-hotplug-slots"},
    {"--pcie-root-port"},
    {"--pci-start"},
    {"--mmio-address-range"},
    {"--boost-uclamp"},
    {"--vcpu-cgroup-path"},
    {"--kvm-device"},
    {"--stub-pci-device"},
    {"--protected-vm-with-firmware"},
    {"--unprotected-vm-with-firmware"},
    {"--fw-cfg"},
    {"-s"},
    {"--socket"},
    {"--log-level"},
    {"-v", kFlag},
    {"--extended-status", kFlag},
    {"--no-syslog", kFlag},
    {"--disable-sandbox", kFlag},
    {"--no-balloon", kFlag},
    {"--balloon-page-reporting", kFlag},
    {"--balloon-ws-reporting", kFlag},
    {"--no-smt", kFlag},
    {"--no-usb", kFlag},
    {"--no-rng", kFlag},
    {"--no-i8042", kFlag},
    {"--no-rtc", kFlag},
    {"--no-pmu", kFlag},
    {"--no-legacy", kFlag},
    {"--seccomp-log-failures", kFlag},
    {"--s2idle", kFlag},
    {"--enable-pnp-data", kFlag},
    {"--hugepages", kFlag},
    {"--host-cpu-topology", kFlag},
    {"--itmt", kFlag},
    {"--enable-hwp", kFlag},
    {"--force-calibrated-tsc-leaf", kFlag},
    {"--lock-guest-memory", kFlag},
    {"--per-vm-core-scheduling", kFlag},
    {"--protected-vm", kFlag},
    {"--protected-vm-without-firmware", kFlag},
    {"--split-irqchip", kFlag},
    {"--strict-balloon", kFlag},
    {"--delay-rt", kFlag},
    {"--display-window-keyboard", kFlag},
    {"--display-window-mouse", kFlag},
    {"--enable-fw-cfg", kFlag},
    {"--disable-virtio-intx", kFlag},
    {"--mmio-sleep", kFlag},
    {"--vhost-scmi", kFlag},
    {"--break-linux-pci-config-io", kFlag},
    {"--unmap-guest-memory-on-fork", kFlag},
});

constexpr auto kRefused = std::to_array<RefusedOption>({
    {"--gdb", "a debugger reads the guest's memory", "run the vm without its secrets to debug it"},
    {"--cfg", "a file of options cannot be checked", "give its options one by one"},
    {"--restore", "a snapshot would bring values of its own", "start the vm afresh"},
    {"--suspended", "the supervisor does not resume a crosvm", "remove it"},
    {"--swap", "it writes the guest's memory to files", "remove it"},
    {"--swap-dir", "it writes the guest's memory to files", "remove it"},
    {"--plugin", "a plugin sees all that the guest computes", "remove it"},
    {"--oem-strings", "every process of the host can read it", "declare what it holds as credentials"},
});

/// "type=fs,socket=…" or "gpu,socket=…"
std::string_view device_of(std::string_view value) {
  if (value.starts_with("type=")) value.remove_prefix(5);
  return value.substr(0, value.find(','));
}

}  // namespace

Result<> check_options(std::span<const std::string> words, const AllowedOptions& allowed, Origin origin) {
  TRY_LET(const std::vector<UsedOption> used, read_listed(words, kListed, kRefused, allowed, origin));
  for (const UsedOption& option : used) {
    if (option.name != "--vhost-user") continue;
    const std::string_view device = device_of(option.value);
    if (device == "fs" || device == "gpu" || device == "vsock" || allowed.type("vhost-user", device)) continue;
    return option_conflict(origin, fmt::format("--vhost-user {}", device), "its server maps all of the guest's memory",
                           "remove it, or run the vm without its secrets");
  }
  return {};
}

}  // namespace vmcred::vmm::crosvm
