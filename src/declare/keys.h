// The keys of a declaration, table by table: what the reader knows, and what the JSON Schema must say (a test
// compares).
#pragma once

#include <string_view>

namespace vmcred::declare {

inline constexpr std::string_view kTopKeys[] = {"$schema", "machines", "generators", "vms", "git"};
inline constexpr std::string_view kGitKeys[] = {"commit"};
inline constexpr std::string_view kMachineKeys[] = {"default-groups"};
inline constexpr std::string_view kGeneratorKeys[] = {"machines",   "share",        "vms",          "runtime-inputs",
                                                      "script",     "dependencies", "files",        "prompts",
                                                      "validation", "on-stale",     "rotate-after", "foreign"};
inline constexpr std::string_view kFileKeys[] = {"secret", "deploy",      "owner",      "group",
                                                 "mode",   "allow-empty", "needed-for", "restart-units"};
inline constexpr std::string_view kPromptKeys[] = {"description", "type", "persist", "display"};
inline constexpr std::string_view kDisplayKeys[] = {"group", "label", "help"};
inline constexpr std::string_view kVmKeys[] = {"machine",
                                               "hypervisor",
                                               "qemu",
                                               "vmm",
                                               "architecture",
                                               "binary",
                                               "kernel",
                                               "initrd",
                                               "command-line",
                                               "memory",
                                               "vcpus",
                                               "accel",
                                               "delivery",
                                               "receipt",
                                               "receipt-timeout",
                                               "start-timeout",
                                               "disks",
                                               "networks",
                                               "shares",
                                               "vsock-cid",
                                               "extra-arguments",
                                               "allow-options",
                                               "credentials",
                                               "load-credential",
                                               "credential-files",
                                               "oem-strings",
                                               "guest"};
inline constexpr std::string_view kQemuKeys[] = {"machine", "vsock-device"};
inline constexpr std::string_view kVmmKeys[] = {"version"};
inline constexpr std::string_view kDiskKeys[] = {"path", "read-only", "format"};
inline constexpr std::string_view kNetworkKeys[] = {"type", "tap", "mac", "forward"};
inline constexpr std::string_view kShareKeys[] = {"tag", "socket"};
inline constexpr std::string_view kCredentialKeys[] = {"from",     "value",     "guest", "allow-empty",
                                                       "services", "on-change", "public"};
inline constexpr std::string_view kGuestKeys[] = {"systemd", "systemd-in-initrd", "agent", "services"};
inline constexpr std::string_view kServiceKeys[] = {"load-credential", "health", "health-command"};

inline constexpr std::string_view kQemuMachines[] = {"q35", "pc", "microvm", "virt"};
inline constexpr std::string_view kArchitectures[] = {"x86_64", "aarch64"};
inline constexpr std::string_view kNeededFor[] = {"partitioning", "activation", "users", "services"};
inline constexpr std::string_view kDiskFormats[] = {"raw", "qcow2"};
inline constexpr std::string_view kNetworkTypes[] = {"user", "tap"};

}  // namespace vmcred::declare
