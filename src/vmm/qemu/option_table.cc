#include "vmm/qemu/option_table.h"

#include <algorithm>
#include <array>

namespace vmcred::vmm::qemu {
namespace {

constexpr Takes kFlag = Takes::nothing;

constexpr auto kKnown = std::to_array<KnownOption>({
    // The machine
    {"machine"}, {"M"}, {"cpu"}, {"accel"}, {"smp"}, {"numa"}, {"m"}, {"mem-path"}, {"mem-prealloc", kFlag}, {"k"},
    {"audio"}, {"audiodev"}, {"soundhw"}, {"device"}, {"name"}, {"uuid"}, {"global"}, {"boot"}, {"object"},
    {"enable-kvm", kFlag}, {"no-acpi", kFlag}, {"no-hpet", kFlag}, {"no-fd-bootchk", kFlag}, {"win2k-hack", kFlag},
    {"rtc"}, {"icount"}, {"watchdog"}, {"watchdog-action"}, {"action"}, {"echr"}, {"smbios"}, {"acpitable"}, {"fw_cfg"},
    {"tb-size"}, {"singlestep", kFlag}, {"one-insn-per-tb", kFlag}, {"usb", kFlag}, {"usbdevice"},
    {"tpmdev"}, {"only-migratable", kFlag}, {"nodefaults", kFlag}, {"nodefconfig", kFlag}, {"no-user-config", kFlag},
    {"prom-env"}, {"old-param", kFlag},
    // Its disks
    {"fda"}, {"fdb"}, {"hda"}, {"hdb"}, {"hdc"}, {"hdd"}, {"cdrom"}, {"blockdev"}, {"drive"}, {"mtdblock"}, {"sd"}, {"pflash"},
    {"snapshot", kFlag}, {"fsdev"}, {"virtfs"}, {"iscsi"},
    // Its display and its network
    {"display"}, {"nographic", kFlag}, {"spice"}, {"portrait", kFlag}, {"rotate"}, {"vga"}, {"full-screen", kFlag}, {"g"}, {"vnc"},
    {"no-quit", kFlag}, {"no-frame", kFlag}, {"alt-grab", kFlag}, {"ctrl-grab", kFlag}, {"sdl", kFlag}, {"curses", kFlag},
    {"show-cursor", kFlag}, {"netdev"}, {"nic"}, {"net"}, {"chardev"}, {"serial"}, {"parallel"}, {"debugcon"},
    // What it boots
    {"bios"}, {"kernel"}, {"initrd"}, {"append"}, {"shim"}, {"dtb"}, {"option-rom"}, {"L"},
    // The process
    {"pidfile"}, {"sandbox"}, {"runas"}, {"run-with"}, {"chroot"}, {"user"}, {"overcommit"}, {"realtime"}, {"msg"}, {"compat"}, {"seed"},
    {"add-fd"}, {"D"}, {"enable-sync-profile", kFlag}, {"async-teardown", kFlag}, {"enable-fips", kFlag}, {"no-reboot", kFlag},
    {"monitor"}, {"qmp"}, {"qmp-pretty"}, {"mon"}, {"id"},  // Proxmox' QEMU has -id
    {"version", kFlag}, {"h", kFlag}, {"help", kFlag},
});

constexpr std::string_view kDebug = "run the vm without its secrets to debug it";
constexpr auto kRefused = std::to_array<RefusedOption>({
    {"gdb", "a debugger reads the guest's memory", kDebug},
    {"s", "a debugger reads the guest's memory", kDebug},
    {"qtest", "its socket reads the guest's memory", kDebug},
    {"qtest-log", "its log holds what the socket reads of the guest's memory", kDebug},
    {"plugin", "a plugin sees all that the guest computes", kDebug},
    {"d", "a log of the guest's processor holds what it computes", kDebug},
    {"dfilter", "a log of the guest's processor holds what it computes", kDebug},
    {"trace", "a trace of its devices holds what passes through them", kDebug},
    {"perfmap", "it is for debugging QEMU, and leaves files in /tmp", kDebug},
    {"jitdump", "it is for debugging QEMU, and leaves files of the guest's code", kDebug},
    {"incoming", "a migrated guest would bring values of its own", "start the vm afresh"},
    {"loadvm", "a snapshot would bring values of its own", "start the vm afresh"},
    {"readconfig", "a file of options cannot be checked", "give its options one by one"},
    {"set", "it changes options after they were checked", "write the property at the option itself"},
    {"preconfig", "the supervisor stops and starts the vm itself", "remove it"},
});

constexpr auto kObjects = std::to_array<std::string_view>(
    {"memory-backend-ram", "memory-backend-memfd", "memory-backend-file", "memory-backend-epc", "memory-backend-shm",
     "secret", "secret_keyring", "tls-creds-anon", "tls-creds-psk", "tls-creds-x509", "tls-cipher-suites", "authz-list",
     "authz-list-file", "authz-simple", "authz-pam", "iothread", "main-loop", "thread-context", "throttle-group", "rng-random",
     "rng-builtin", "rng-egd", "cryptodev-backend", "cryptodev-backend-builtin", "cryptodev-backend-lkcf", "can-bus",
     "can-host-socketcan", "input-linux", "input-barrier", "pr-manager-helper", "sev-guest", "sev-snp-guest", "tdx-guest",
     "pef-guest", "s390-pv-guest", "arm-rme-guest", "dbus-vmstate", "iommufd", "acpi-generic-initiator", "acpi-generic-port",
     "igvm-cfg", "sgx-epc"});

/// Of Debian's QEMU 7.2, 10.0 and 11.1 (`-device help`), x86-64 and aarch64, without what opens a door: ivshmem and vhost-user
/// share memory with other processes (but for file systems and vsock, which others are asked to serve), x-pci-proxy-dev
/// and vfio-user hand all of the guest's memory to one, pvrdma and hv-syndbg give it to the network.
constexpr auto kDevices = std::to_array<std::string_view>(
    {"virtio-*", "virtconsole", "virtserialport", "vhost-vsock-*", "vhost-scsi", "vhost-scsi-*", "vhost-user-fs-*",
     "vhost-user-vsock-*", "vhost-vdpa-device*", "pcie-root-port", "pcie-pci-bridge", "pci-bridge", "pci-bridge-seat", "pxb",
     "pxb-pcie", "pxb-cxl", "pxb-host", "ioh3420", "i82801b11-bridge", "x3130-upstream", "xio3130-downstream", "dmi-to-pci-bridge",
     "cxl-*", "nvme", "nvme-ns", "nvme-subsys", "ide-*", "piix3-ide", "piix4-ide", "isa-ide", "ich9-ahci", "ahci", "scsi-*",
     "lsi53c810", "lsi53c895a", "lsi", "megasas", "megasas-gen2", "mptsas1068", "pvscsi", "am53c974", "dc390", "esp", "floppy",
     "isa-fdc", "sd-card", "sd-card-spi", "emmc", "sdhci-pci", "ufs", "ufs-lu", "ufshc", "e1000*", "igb", "igbvf", "i82*",
     "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "tulip", "vmxnet3", "rocker", "usb-*", "qemu-xhci", "nec-usb-xhci",
     "piix3-usb-uhci", "piix4-usb-uhci", "ich9-usb-*", "ich9-intel-hda", "intel-hda", "hda-*", "AC97", "ES1370", "adlib", "cs4231a", "gus",
     "sb16", "pci-ohci", "sysbus-ohci", "VGA", "bochs-display", "cirrus-vga", "isa-cirrus-vga", "isa-vga", "ati-vga", "qxl", "qxl-vga", "ramfb",
     "secondary-vga", "vmware-svga", "vga", "isa-serial", "isa-parallel", "isa-debugcon", "isa-debug-exit", "isa-applesmc",
     "pci-serial*", "pvpanic*", "i8042", "i2c-ddc", "smbus-*", "at24c-eeprom", "ib700", "i6300esb", "diag288", "mc146818rtc",
     "vmgenid", "vmclock", "vmcoreinfo", "vmmouse", "vmbus-bridge", "hv-balloon", "sga", "loader", "guest-loader", "generic-loader",
     "acpi-erst", "ipmi-*", "isa-ipmi-*", "pci-ipmi-*", "tpm-*", "intel-iommu", "amd-iommu", "AMDVI-PCI", "arm-smmuv3", "pc-dimm",
     "nvdimm", "sp-mem", "sgx-epc", "vfio-pci", "vfio-pci-*", "vfio-ap", "vfio-ccw", "kvaser_pci", "mioe3680_pci", "pcm3680_pci",
     "ctucan_pci", "ccid-card-*", "u2f-*", "uefi-vars-*", "igd-passthrough-*", "*-cpu", "mtp", "tpci200", "ipoctal232", "wdt_*", "xio3130-*"});

constexpr auto kChardevs = std::to_array<std::string_view>(
    {"null", "socket", "udp", "msmouse", "wctablet", "vc", "ringbuf", "memory", "file", "pipe", "pty", "stdio", "console",
     "serial", "tty", "parallel", "parport", "braille", "spicevmc", "spiceport", "qemu-vdagent", "dbus", "hub", "mux"});

constexpr auto kNetdevs = std::to_array<std::string_view>({"none", "nic", "user", "tap", "bridge", "socket", "stream", "dgram",
                                                           "l2tpv3", "vde", "netmap", "vhost-vdpa", "hubport", "passt", "af-xdp",
                                                           "vmnet-host", "vmnet-shared", "vmnet-bridged"});

constexpr auto kAccelerators = std::to_array<std::string_view>({"kvm", "tcg", "hvf", "whpx", "nvmm", "mshv"});

constexpr auto kFileSystems = std::to_array<std::string_view>({"local", "proxy", "synth"});

constexpr auto kTyped = std::to_array<TypedOption>({
    {"object", "qom-type", kObjects},
    {"device", "driver", kDevices},
    {"chardev", "backend", kChardevs},
    {"netdev", "type", kNetdevs},
    {"net", "type", kNetdevs},
    {"nic", "type", kNetdevs},
    {"accel", "accel", kAccelerators},
    {"fsdev", "fsdriver", kFileSystems},
    {"virtfs", "fsdriver", kFileSystems},
});

}  // namespace

std::span<const KnownOption> known_options() { return kKnown; }
std::span<const RefusedOption> refused_options() { return kRefused; }

const TypedOption* typed_option(std::string_view name) {
  const auto found = std::ranges::find(kTyped, name, &TypedOption::name);
  return found == kTyped.end() ? nullptr : &*found;
}

}  // namespace vmcred::vmm::qemu
