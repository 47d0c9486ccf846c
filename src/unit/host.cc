// microvm@.service, vmcred-memory.service and vmcred-activate.service: what is the same for every vm.
#include "unit/host.h"

#include <algorithm>

#include "base/base64.h"
#include "base/sha256.h"
#include "store/layout.h"
#include "unit/escape.h"

namespace vmcred::unit {
namespace {

constexpr std::size_t kMaxUserName = 31;  ///< systemd 252 takes no longer one for DynamicUser=
constexpr std::size_t kHashDigits = 16;

/// No privileges at all, no view of anything that is not the vm's own. MemoryDenyWriteExecute= stays off: TCG writes
/// the code that it runs. ProcSubset=pid stays off: /proc/cpuinfo says whether the processor can do KVM. A kill for a
/// forbidden system call would look like a crash of the VMM: EPERM.
constexpr std::string_view kConfinement = R"(NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
SecureBits=noroot noroot-locked
KeyringMode=private
UMask=0077
RemoveIPC=yes
PrivateMounts=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateUsers=yes
PrivateIPC=yes
DevicePolicy=closed
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service seccomp
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
InaccessiblePaths=-/run/vmcred.d -/var/lib/vmcred/key.txt -/var/lib/sops-nix
)";

/// "/usr/bin/vmcred --project /etc/vmcred", ready for ExecStart=.
Result<std::string> command_of(const Host& host) {
  TRY_LET(const std::string program, setting_word(host.program, Splitting::command, "the path of vmcred"));
  TRY_LET(const std::string project, setting_word(host.project, Splitting::command, "the project folder"));
  return fmt::format("{} --project {}", program, project);
}

}  // namespace

std::string user_of(const std::string& vm) {
  constexpr std::string_view kPrefix = "vmcred-";
  const bool looks_hashed = vm.size() == kHashDigits && vm.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (kPrefix.size() + vm.size() <= kMaxUserName && !looks_hashed) return std::string(kPrefix) + vm;
  return std::string(kPrefix) + hex_encode(sha256(bytes_of(vm))).substr(0, kHashDigits);
}

std::string unit_name_of(const std::string& vm) { return fmt::format("microvm@{}.service", vm); }

Result<UnitFile> vm_template(const Host& host) {
  TRY_LET(const std::string command, command_of(host));
  std::string text = fmt::format(R"({0}

[Unit]
Description=MicroVM %i
Documentation=man:vmcred(1)
Wants=vmcred-activate.service
After=vmcred-activate.service
StartLimitIntervalSec=10min
StartLimitBurst=5

[Service]
# Started means: the guest has proved what it received.
Type=notify
NotifyAccess=main
ExecStart={1} vm run %i
ExecReload=+{1} vm refresh %i
# A file that LoadCredential= does not find ends the start without a word about which; this says it.
ExecStopPost=-+{1} vm units --check %i
TimeoutStartSec=6min
TimeoutStopSec=45s
KillMode=mixed
Restart=on-failure
RestartSec=2s
RestartPreventExitStatus=2 CREDENTIALS

# A user for each vm: without User= all instances of a template would share one.
DynamicUser=yes
User=vmcred-%i
RuntimeDirectory=vmcred/vm/%i
RuntimeDirectoryMode=0700
StateDirectory=vmcred/%i
StateDirectoryMode=0700

# Plaintext stays in memory: no core files, no swap.
LimitCORE=0
MemorySwapMax=0
LimitMEMLOCK=64M
TasksMax=256

{2}
[Install]
WantedBy=multi-user.target
)",
                                 kMark, command, kConfinement);
  return UnitFile{"microvm@.service", std::move(text)};
}

namespace {

/// A unit that decrypts; `head` is its [Unit] section.
// The memory that holds the vars is mounted by a unit before, for everybody; what decrypts has a mount namespace and
// may mount nothing. (systemd 252 gives ExecStartPre=+ the unit's mount namespace too, so that step cannot be one of
// this unit.) The vars get any owner, hence chown and the override of file modes; old values of other owners are
// overwritten under a lease.
std::string activation_text(const std::string& head, const std::string& command, std::string_view wanted_by) {
  return fmt::format(R"({0}

{1}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={2}
# The machine's key, sealed by 'systemd-creds encrypt --name=vmcred.identity' into /etc/credstore.encrypted; without it
# /var/lib/vmcred/key.txt is read, then /var/lib/sops-nix/key.txt.
LoadCredentialEncrypted=vmcred.identity
TimeoutStartSec=5min

LimitCORE=0
MemorySwapMax=0
LimitMEMLOCK=64M
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_IPC_LOCK CAP_LEASE
KeyringMode=private
UMask=0022
ProtectSystem=strict
ReadWritePaths=/run -/var/lib/vmcred
ProtectHome=read-only
# A key may lie in a TPM, behind a plugin of age.
DevicePolicy=closed
DeviceAllow=/dev/tpmrm0 rw
PrivateNetwork=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX
IPAddressDeny=any
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy={3}
)",
                     kMark, head, command, wanted_by);
}

/// The command that decrypts on this host.
Result<std::string> activation_of(const Host& host) {
  TRY_LET(const std::string command, command_of(host));
  if (host.machine.empty()) return command + " activate";
  TRY_LET(const std::string machine, setting_word(host.machine, Splitting::command, "the machine"));
  return fmt::format("{} --machine {} activate", command, machine);
}

constexpr std::string_view kAfterMemory = "Requires=vmcred-memory.service\nAfter=vmcred-memory.service\n";

}  // namespace

Result<UnitFile> memory_unit(const Host& host, bool early) {
  TRY_LET(const std::string command, command_of(host));
  return UnitFile{
      "vmcred-memory.service",
      fmt::format(R"({0}

[Unit]
Description=Memory for the vars of this machine
Documentation=man:vmcred(1)
DefaultDependencies=no
RequiresMountsFor=/run
Before=shutdown.target
Conflicts=shutdown.target

[Service]
# What it mounts has to be seen by everybody: no setting that makes a mount namespace.
Type=oneshot
RemainAfterExit=yes
ExecStart={1} activate --mount
{2}
LimitCORE=0
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_SYS_ADMIN CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER
KeyringMode=private
UMask=0022
DevicePolicy=closed
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=none
IPAddressDeny=any
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @mount
SystemCallFilter=~@resources
SystemCallErrorNumber=EPERM
)",
                  kMark, command, early ? fmt::format("ExecStart={} activate --early --mount\n", command) : "")};
}

Result<UnitFile> activate_unit(const Host& host) {
  TRY_LET(const std::string folder, setting_word(host.project, Splitting::words, "the project folder"));
  TRY_LET(const std::string command, activation_of(host));
  return UnitFile{
      "vmcred-activate.service",
      activation_text(fmt::format("[Unit]\nDescription=Decrypt the vars of this machine\nDocumentation=man:vmcred(1)\n"
                                  "{}RequiresMountsFor={}\n",
                                  kAfterMemory, folder),
                      command, "multi-user.target")};
}

Result<UnitFile> early_unit(const Host& host) {
  TRY_LET(const std::string folder, setting_word(host.project, Splitting::words, "the project folder"));
  TRY_LET(const std::string command, activation_of(host));
  // Before there are users: long before basic.target, which default dependencies would wait for.
  return UnitFile{
      "vmcred-activate-early.service",
      activation_text(
          fmt::format("[Unit]\nDescription=Decrypt the vars that users are made with\nDocumentation=man:vmcred(1)\n"
                      "DefaultDependencies=no\n{}RequiresMountsFor={} /var/lib/vmcred /run\n"
                      "Before=systemd-sysusers.service userborn.service sysinit.target shutdown.target\n"
                      "Conflicts=shutdown.target\n",
                      kAfterMemory, folder),
          command + " --early", "sysinit.target")};
}

Result<std::vector<UnitFile>> host_units(const declare::Declaration& declaration, const std::string& machine,
                                         const Host& host) {
  std::vector<UnitFile> files;
  TRY_LET(files.emplace_back(), vm_template(host));
  const auto wanted = store::wanted_on(declaration, machine);
  const bool early =
      std::ranges::any_of(wanted, [](const store::Wanted& one) { return one.file->needed_for == "users"; });
  TRY_LET(files.emplace_back(), memory_unit(host, early));
  TRY_LET(files.emplace_back(), activate_unit(host));
  if (early) {
    TRY_LET(files.emplace_back(), early_unit(host));
  }
  for (const auto& [name, vm] : declaration.vms) {
    if (vm.machine != machine) continue;
    TRY_LET(files.emplace_back(), in(fmt::format("vm '{}'", name), vm_drop_in(declaration, vm, host)));
  }
  return files;
}

}  // namespace vmcred::unit
