#include "chain/doctor/kvm_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/fd.h"
#include "chain/doctor/doors.h"

#if defined(__x86_64__)
#include <linux/kvm.h>
#endif

namespace vmcred::chain::doctor {
namespace {

#if defined(__x86_64__)

/// How the child ends.
enum Exit : int { kWorks = 0, kNoMachine = 10, kNoMemory = 11, kNoProcessor = 12, kNoRun = 13, kOddEnd = 14 };

constexpr std::size_t kMemory = 0x200000;  // one large page
constexpr std::size_t kCode = 0x4000;

/// Long mode with flat segments, and page tables that map the first two megabytes to themselves (Intel SDM 3A §4.5).
void enter_long_mode(std::uint8_t* memory, kvm_sregs& registers) {
  constexpr std::uint64_t kPresent = 1;
  constexpr std::uint64_t kWritable = 2;
  constexpr std::uint64_t kLarge = 0x80;
  const auto put = [memory](std::size_t at, std::uint64_t entry) { std::memcpy(memory + at, &entry, sizeof entry); };
  put(0x1000, 0x2000 | kPresent | kWritable);
  put(0x2000, 0x3000 | kPresent | kWritable);
  put(0x3000, kPresent | kWritable | kLarge);
  registers.cr3 = 0x1000;
  registers.cr4 = 0x20;        // PAE
  registers.cr0 = 0x80000011;  // PG, ET, PE
  registers.efer = 0x500;      // LMA, LME
  kvm_segment segment = {};
  segment.limit = 0xffffffff;
  segment.selector = 8;
  segment.type = 11;
  segment.present = 1;
  segment.s = 1;
  segment.l = 1;
  segment.g = 1;
  registers.cs = segment;
  segment.type = 3;
  segment.l = 0;
  segment.db = 1;
  segment.selector = 16;
  registers.ds = registers.es = registers.fs = registers.gs = registers.ss = segment;
}

[[noreturn]] void run_guest(int kvm) {
  // mov ecx, 10000000; again: dec ecx; jnz again; hlt
  constexpr std::uint8_t kLoop[] = {0xb9, 0x80, 0x96, 0x98, 0x00, 0xff, 0xc9, 0x75, 0xfc, 0xf4};
  const int machine = ::ioctl(kvm, KVM_CREATE_VM, 0);
  if (machine < 0) ::_exit(kNoMachine);
  void* const mapped = ::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) ::_exit(kNoMemory);
  auto* const memory = static_cast<std::uint8_t*>(mapped);
  std::memcpy(memory + kCode, kLoop, sizeof kLoop);
  kvm_userspace_memory_region region = {};
  region.memory_size = kMemory;
  region.userspace_addr = reinterpret_cast<std::uint64_t>(mapped);  // NOLINT: as KVM wants it
  if (::ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) != 0) ::_exit(kNoMemory);
  const int processor = ::ioctl(machine, KVM_CREATE_VCPU, 0);
  const int size = ::ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (processor < 0 || size <= 0) ::_exit(kNoProcessor);
  void* const shared =
      ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
  kvm_sregs special = {};
  if (shared == MAP_FAILED || ::ioctl(processor, KVM_GET_SREGS, &special) != 0) ::_exit(kNoProcessor);
  enter_long_mode(memory, special);
  kvm_regs general = {};
  general.rip = kCode;
  general.rflags = 2;
  if (::ioctl(processor, KVM_SET_SREGS, &special) != 0 || ::ioctl(processor, KVM_SET_REGS, &general) != 0)
    ::_exit(kNoProcessor);
  if (::ioctl(processor, KVM_RUN, 0) != 0) ::_exit(kNoRun);
  ::_exit(static_cast<const kvm_run*>(shared)->exit_reason == KVM_EXIT_HLT ? kWorks : kOddEnd);
}

KvmProbe judge(int status) {
  if (!WIFEXITED(status)) return {Kvm::refuses, "the trial was ended by a signal"};
  switch (WEXITSTATUS(status)) {
    case kWorks:
      return {Kvm::works};
    case kNoMachine:
      return {Kvm::refuses, "it makes no virtual machine"};
    case kNoMemory:
      return {Kvm::refuses, "it takes no memory"};
    case kNoProcessor:
      return {Kvm::refuses, "it makes no virtual processor"};
    case kNoRun:
      return {Kvm::refuses, "its virtual processor does not run"};
    default:
      return {Kvm::refuses, "its virtual processor did not do what it was told"};
  }
}

#endif

}  // namespace

KvmProbe probe_kvm(const std::string& device, std::chrono::milliseconds limit) {
  const Fd kvm(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!kvm) return {errno == EACCES || errno == EPERM ? Kvm::denied : Kvm::absent, error_in_words(errno)};
#if defined(__x86_64__)
  if (::ioctl(kvm.get(), KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
    return {Kvm::refuses, "it does not speak the interface of KVM"};
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return {Kvm::untried, error_in_words(errno)};
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(kOddEnd);
    run_guest(kvm.get());
  }
  const Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  pollfd waiting = {.fd = watched.get(), .events = POLLIN, .revents = 0};
  const bool ended = watched && ::poll(&waiting, 1, static_cast<int>(limit.count())) > 0;
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  // A child that even SIGKILL does not get out of the kernel is left to whoever reaps after us.
  constexpr int kLastWait = 1000;
  if (!ended && (!watched || ::poll(&waiting, 1, kLastWait) <= 0))
    return {Kvm::hangs, "a virtual processor does not return, and cannot be stopped"};
  if (::waitpid(child, &status, 0) != child) return {Kvm::untried, error_in_words(errno)};
  if (!ended) return {Kvm::hangs, "a loop that takes milliseconds did not end in time"};
  return judge(status);
#else
  (void)limit;
  return {Kvm::untried, "there is no trial for this processor"};
#endif
}

}  // namespace vmcred::chain::doctor
