#include "generate/call_filter.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

namespace vmcred::generate {
namespace {

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

/// Calls that nothing a generator does needs, and that have opened doors before.
constexpr std::array kRefused = {
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(process_madvise),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(syslog),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(move_pages),
    SCMP_SYS(mbind),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(set_mempolicy),
    SCMP_SYS(vhangup),
    SCMP_SYS(personality),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(memfd_secret),
};

}  // namespace

Result<Fd> call_filter() {
  const std::unique_ptr<void, Release> filter(::seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return fail(Errc::unavailable, "make the system call filter: libseccomp refuses");
  const auto refuse = [&](int call, std::uint32_t action, auto... arguments) -> Result<> {
    const int status = ::seccomp_rule_add(filter.get(), action, call, sizeof...(arguments), arguments...);
    // A call that this machine's kernel has under another name or not at all needs no rule.
    if (status == 0 || status == -EDOM || status == -EFAULT) return {};
    return system_failure(-status, "make the system call filter");
  };
  for (const int call : kRefused) TRY(refuse(call, SCMP_ACT_ERRNO(EPERM)));
  // Memory that neither a limit nor a look at the processes counts: programs do without where a kernel has none.
  for (const int call : {SCMP_SYS(memfd_create), SCMP_SYS(shmget), SCMP_SYS(msgget), SCMP_SYS(semget),
                         SCMP_SYS(mq_open), SCMP_SYS(remap_file_pages)})
    TRY(refuse(call, SCMP_ACT_ERRNO(ENOSYS)));
  for (const std::uint64_t shared : {MAP_SHARED, MAP_SHARED_VALIDATE})
    TRY(refuse(SCMP_SYS(mmap), SCMP_ACT_ERRNO(EPERM),
               SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS | MAP_TYPE, MAP_ANONYMOUS | shared)));
  TRY(refuse(SCMP_SYS(fcntl), SCMP_ACT_ERRNO(EPERM), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, F_SETPIPE_SZ)));
  // As a kernel with a lower maximum does: it takes what it likes and says nothing.
  for (const std::uint64_t size : {SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE, SO_RCVBUFFORCE})
    TRY(refuse(SCMP_SYS(setsockopt), SCMP_ACT_ERRNO(0), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, SOL_SOCKET),
               SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffffU, size)));
  // clone3 hides its flags behind a pointer: programs fall back to clone, whose flags can be looked at.
  TRY(refuse(SCMP_SYS(clone3), SCMP_ACT_ERRNO(ENOSYS)));
  TRY(refuse(SCMP_SYS(clone), SCMP_ACT_ERRNO(EPERM), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER)));
  // Typing into the terminal of whoever started us.
  TRY(refuse(SCMP_SYS(ioctl), SCMP_ACT_ERRNO(EPERM), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCSTI)));
  TRY(refuse(SCMP_SYS(ioctl), SCMP_ACT_ERRNO(EPERM), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, TIOCLINUX)));
  // Families that no network namespace closes (vsock above all), and those nobody needs.
  constexpr int kHighestFamily = 64;
  for (int family = 0; family < kHighestFamily; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK) continue;
    TRY(refuse(SCMP_SYS(socket), SCMP_ACT_ERRNO(EAFNOSUPPORT),
               SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffffU, static_cast<std::uint64_t>(family))));
  }
  TRY(refuse(SCMP_SYS(socket), SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_A0(SCMP_CMP_GE, kHighestFamily)));
  TRY_LET(Fd file, make_memfd("call-filter"));
  const int status = ::seccomp_export_bpf(filter.get(), file.get());
  if (status != 0) return system_failure(-status, "write the system call filter");
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("write the system call filter");
  return file;
}

}  // namespace vmcred::generate
