// Each promise of the sandbox: the forbidden thing is tried.
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "trial_sandbox.h"

namespace vmcred::generate {
namespace {

std::string reason_against(const std::string& script) {
  const Outcome outcome = outcome_of(job(script));
  const auto* bad = std::get_if<BadOutput>(&outcome.what);
  return bad == nullptr ? fmt::format("not refused: {}", outcome.log.text()) : bad->reason;
}

TEST(SandboxPromise, ALinkIsNoOutput) { EXPECT_EQ(reason_against(R"sh(ln -s /etc/passwd "$out/x")sh"), "is a link"); }
TEST(SandboxPromise, AFolderIsNoOutput) { EXPECT_EQ(reason_against(R"sh(mkdir "$out/x")sh"), "is a folder"); }
TEST(SandboxPromise, AFifoIsNoOutput) { EXPECT_EQ(reason_against(R"sh(mkfifo "$out/x")sh"), "is a fifo"); }
TEST(SandboxPromise, TheOutputFolderCannotBeALinkElsewhere) {
  EXPECT_EQ(reason_against(R"sh(rmdir "$out"; ln -s /tmp "$out"; touch /tmp/x)sh"), "is gone");
}
TEST(SandboxPromise, NoDeviceCanBeMade) {
  EXPECT_EQ(made(job(R"sh(mknod "$out/x" c 1 3 2>/dev/null || echo refused > "$out/x")sh")), "refused\n");
}
TEST(SandboxPromise, NoDeviceCanBeCopied) {
  EXPECT_EQ(reason_against(R"sh(cp -a /dev/null "$out/x" 2>/dev/null || true)sh"), "was not made");
}
TEST(SandboxPromise, ASetuidBitIsNotCarried) {
  EXPECT_EQ(made(job(R"sh(echo it > "$out/x"; chmod 6777 "$out/x")sh")), "it\n");
}
TEST(SandboxPromise, AHugeFileIsNoOutput) {
  EXPECT_EQ(reason_against(R"sh(truncate -s 20M "$out/x")sh"), "has 20971520 bytes; 1048576 is the most");
}
TEST(SandboxPromise, ASetuidBitIsWorthNothing) {
  EXPECT_EQ(made(job(R"sh(cp "$(readlink "$(command -v id)")" /tmp/id; chmod 6777 /tmp/id; /tmp/id -u > "$out/x")sh")),
            "1000\n");
}
/// A socket of this test that waits for somebody, on loopback or under an abstract name.
struct Listener {
  Fd socket;
  int port = 0;
  std::string name = fmt::format("vmcred-test-{}", ::getpid());
  static Listener on_loopback() {
    Listener listener{.socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
    sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);  // NOLINT
    EXPECT_EQ(::bind(listener.socket.get(), place, size), 0);
    EXPECT_EQ(::listen(listener.socket.get(), 1), 0);
    EXPECT_EQ(::getsockname(listener.socket.get(), place, &size), 0);
    listener.port = ntohs(address.sin_port);
    return listener;
  }
  static Listener under_a_name() {
    Listener listener{.socket = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))};
    sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
    std::copy(listener.name.begin(), listener.name.end(), address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + listener.name.size());
    EXPECT_EQ(::bind(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), size), 0);  // NOLINT
    EXPECT_EQ(::listen(listener.socket.get(), 1), 0);
    return listener;
  }
};

constexpr std::string_view kPython = R"py(
import socket
def attempt(family, address):
    try:
        socket.socket(family).connect(address)
        return "connected"
    except OSError:
        return "refused"
)py";

Job python(const std::string& code, std::vector<std::string> outputs = {"x"}) {
  return job(fmt::format("python3 - <<'END' > \"$out/x\"\n{}\nEND\n", code), std::move(outputs), {"python3"});
}

TEST(SandboxPromise, ThereIsNoNetwork) {
  const Listener host = Listener::on_loopback();
  const Listener named = Listener::under_a_name();
  EXPECT_EQ(made(python(fmt::format(R"py({}
print(attempt(socket.AF_INET, ("127.0.0.1", {})), attempt(socket.AF_INET, ("192.0.2.1", 80)), attempt(socket.AF_UNIX, "\0{}"))
print(open("/proc/net/route").read().count("\n"), open("/proc/net/dev").read().count(":")))py",
                                    kPython, host.port, named.name))),
            "refused refused refused\n1 1\n");
}
TEST(SandboxPromise, OtherFamiliesOfSocketsAreNotThere) {
  EXPECT_EQ(made(python(R"py(
import errno, socket
for family in (socket.AF_VSOCK, socket.AF_PACKET, socket.AF_ALG, socket.AF_BLUETOOTH, socket.AF_CAN, 44):
    try:
        print(family, socket.socket(family, socket.SOCK_RAW))
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT: print(family, error)
)py")),
            "");
}
TEST(SandboxPromise, CallsThatOpenedDoorsBeforeAreRefused) {
  // Each of these answers an ordinary user without the filter with success or with another error.
  const std::vector<std::pair<std::string, long>> calls = {{"ptrace", SYS_ptrace},
                                                           {"process_vm_readv", SYS_process_vm_readv},
                                                           {"kcmp", SYS_kcmp},
                                                           {"unshare", SYS_unshare},
                                                           {"setns", SYS_setns},
                                                           {"mount", SYS_mount},
                                                           {"io_uring_setup", SYS_io_uring_setup},
                                                           {"add_key", SYS_add_key},
                                                           {"keyctl", SYS_keyctl},
                                                           {"request_key", SYS_request_key},
                                                           {"bpf", SYS_bpf},
                                                           {"perf_event_open", SYS_perf_event_open},
                                                           {"personality", SYS_personality},
                                                           {"name_to_handle_at", SYS_name_to_handle_at},
                                                           {"set_mempolicy", SYS_set_mempolicy},
                                                           {"memfd_create", SYS_memfd_create},
                                                           {"shmget", SYS_shmget},
                                                           {"clone3", SYS_clone3}};
  std::string code = "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n";
  for (const auto& [name, number] : calls)
    code += fmt::format(
        "ctypes.set_errno(0)\nif libc.syscall({}, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() not in "
        "(errno.EPERM, errno.ENOSYS): print('{}', ctypes.get_errno())\n",
        number, name);
  code += fmt::format("print(libc.syscall({}, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno() == errno.EPERM)\n",
                      SYS_clone);                                                     // CLONE_NEWUSER
  code += "print(libc.ioctl(0, 0x5412, b'x'), ctypes.get_errno() == errno.EPERM)\n";  // TIOCSTI
  code +=
      "print(open('/proc/self/status').read().count('NoNewPrivs:\\t1'), "
      "open('/proc/self/status').read().count('CapEff:\\t0000000000000000'))";
  EXPECT_EQ(made(python(code)), "-1 True\n-1 True\n1 1\n");
}
TEST(SandboxPromise, TheHostsFilesAreNotThere) {
  const testing::TestFolder folder;
  const TemporaryFolder memory = TemporaryFolder::make("/dev/shm").value();
  ASSERT_THAT(write_file(memory.path() + "/file", "host", 0644), testing::Succeeds());
  const std::string ours = folder.write("file", "host");
  EXPECT_EQ(
      made(job(fmt::format(
          R"sh(for p in /root /home /etc/shadow /etc/hostname /run /var /srv /boot /sys /proc/1/root/root "{}" "{}/file"; do
                          [ -e "$p" ] && echo "$p" >> "$out/x"; done; touch "$out/x")sh",
          ours, memory.path()))),
      "");
}
TEST(SandboxPromise, TheCallersEnvironmentIsInNoProcess) {
  ::setenv("VMCRED_TEST_LEAK", "leak-canary", 1);
  const std::string found = made(job(R"sh(cat /proc/[0-9]*/environ | tr '\0' '\n' | sort | uniq | while read -r line; do
                              case $line in *leak-canary*) echo "$line" >> "$out/x";; esac; done; touch "$out/x")sh"));
  ::unsetenv("VMCRED_TEST_LEAK");
  EXPECT_EQ(found, "");
}
TEST(SandboxPromise, OtherProcessesAreNotSeen) {
  EXPECT_EQ(made(job(R"sh(for name in $(cat /proc/[0-9]*/comm); do
                            case $name in bash|bwrap|cat) ;; *) echo "$name" >> "$out/x";; esac; done
                          touch "$out/x")sh")),
            "");
}
TEST(SandboxPromise, NothingOutsideCanBeWritten) {
  EXPECT_EQ(made(job(R"sh(for p in / /usr /usr/bin /etc /dev /vmcred /vmcred/bin; do
                          (: > "$p/vmcred-test") 2>/dev/null && echo "$p" >> "$out/x"; done; touch "$out/x")sh")),
            "");
}
TEST(SandboxPromise, TheCallersKernelKeyringIsOutOfReach) {
  EXPECT_EQ(made(job(R"sh(cat /proc/keys 2>/dev/null | wc -l > "$out/x")sh")), "0\n");
}

std::string limit_of(Job what) {
  const Outcome outcome = outcome_of(what);
  const auto* stopped = std::get_if<Stopped>(&outcome.what);
  return stopped == nullptr ? fmt::format("not stopped ({}): {}", outcome.what.index(), outcome.log.text())
                            : stopped->limit;
}

TEST(SandboxPromise, AForkBombEnds) {
  Job what = job("f() { f | f & wait; }; f; sleep 100");
  what.limits.processes = 32;
  what.limits.time = std::chrono::seconds(2);
  EXPECT_THAT(limit_of(what), ::testing::AnyOf("it started more than 32 processes", "it ran longer than 2 s"));
}
TEST(SandboxPromise, TheDiskCannotBeFilled) {
  Job what = job(R"sh(for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero > "$out/f$i"; done)sh");
  what.limits.disk_bytes = 4 << 20;
  EXPECT_EQ(limit_of(what), "its folders became larger than 4 MiB");
}
TEST(SandboxPromise, AFileCannotGrowForever) {
  Job what = job(R"sh(head -c 9000000 /dev/zero > "$out/x")sh");
  what.limits.file_bytes = 1 << 20;
  EXPECT_EQ(limit_of(what), "a file became larger than 1 MiB");
}
TEST(SandboxPromise, MemoryIsBounded) {
  Job what = job(R"sh(head -c 200000000 /dev/zero | tail -c 190000000 | wc -c > "$out/x")sh");
  what.limits.memory_bytes = 32 << 20;
  EXPECT_EQ(limit_of(what), "it needed more than 32 MiB of memory");
}
TEST(SandboxPromise, MemoryIsBoundedForAllProcessesTogether) {
  // Each of them stays far below the limit.
  Job what = job(R"sh(for i in 1 2 3 4 5 6 7 8; do
                        { head -c 20000000 /dev/zero; sleep 600; } | tail -c 15000000 >/dev/null & done; wait)sh");
  what.limits.memory_bytes = 64 << 20;
  EXPECT_EQ(limit_of(what), "it needed more than 64 MiB of memory");
}
TEST(SandboxPromise, FilesCannotBeMadeForever) {
  Job what = job(R"sh(cd /tmp; touch {1..70000}; sleep 600)sh");
  EXPECT_EQ(limit_of(what), "it made more than 65536 files");
}
TEST(SandboxPromise, ABusyLoopThatClosedItsOutputEnds) {
  Job what = job("exec >&- 2>&-; trap '' TERM INT HUP; while :; do :; done");
  what.limits.time = std::chrono::milliseconds(500);
  EXPECT_EQ(limit_of(what), "it ran longer than 500 ms");
}
TEST(SandboxPromise, AFloodOfWordsIsCut) {
  const Outcome outcome = outcome_of(job("head -c 5000000 /dev/zero | tr '\\0' 'x'; exit 1"));
  EXPECT_TRUE(std::holds_alternative<ScriptFailed>(outcome.what));
  EXPECT_EQ(outcome.log.size(), 64U * 1024);
}

/// The processes whose command line holds `mark`.
std::vector<Fd> processes_with(const std::string& mark) {
  std::vector<Fd> found;
  const std::vector<std::string> names = list_folder("/proc").value();
  for (const std::string& name : names) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const Result<std::string> line = read_file(fmt::format("/proc/{}/cmdline", name), 1 << 20);
    if (!line || !line->contains(mark) || line->contains("bwrap")) continue;
    found.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(name), 0)));
    if (!found.back()) found.pop_back();  // it has just ended
  }
  return found;
}
constexpr int kPatience = 60'000;  // milliseconds, on a loaded machine

bool ends(const Fd& process) {
  pollfd watched = {.fd = process.get(), .events = POLLIN, .revents = 0};
  return ::poll(&watched, 1, kPatience) == 1;
}

TEST(SandboxPromise, NothingSurvivesTheScript) {
  EXPECT_EQ(made(job(R"sh((sleep 86397.25 &) ; echo done > "$out/x")sh")), "done\n");
  for (const Fd& process : processes_with("86397.25")) EXPECT_TRUE(ends(process));
}
TEST(SandboxPromise, NothingSurvivesAStop) {
  Job what = job("setsid sleep 86398.25 & sleep 86398.25");
  what.limits.time = std::chrono::seconds(1);
  EXPECT_EQ(limit_of(what), "it ran longer than 1 s");
  for (const Fd& process : processes_with("86398.25")) EXPECT_TRUE(ends(process));
}
TEST(SandboxPromise, NothingSurvivesUsWhereWeAreKilledWhileTheSandboxIsMade) {
  const Job what = job("sleep 1000");
  // What nobody ends becomes a child of this process, and is waited for.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  for (int moment = 0; moment < 60; ++moment) {
    const pid_t us = ::fork();
    if (us == 0) {
      (void)run_in_sandbox(what);
      ::_exit(0);
    }
    ::poll(nullptr, 0, moment);
    ::kill(us, SIGKILL);
    pid_t gone = 0;
    for (int waited = 0; (gone = ::waitpid(-1, nullptr, WNOHANG)) >= 0 && waited < kPatience;
         waited += gone > 0 ? 0 : 5)
      if (gone == 0) ::poll(nullptr, 0, 5);
    ASSERT_EQ(gone, -1) << "something still runs that was made before a kill after " << moment << " ms";
  }
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}
TEST(SandboxPromise, NothingSurvivesUs) {
  const Job what = job("sleep 86399.25 & sleep 86399.25");
  const pid_t child = ::fork();
  if (child == 0) {
    (void)run_in_sandbox(what);
    ::_exit(0);
  }
  std::vector<Fd> processes;
  for (int waited = 0; processes.size() < 2 && waited < kPatience; waited += 10) {
    processes = processes_with("sleep" + std::string(1, '\0') + "86399.25");
    ::poll(nullptr, 0, 10);
  }
  EXPECT_EQ(processes.size(), 2U);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const Fd& process : processes) EXPECT_TRUE(ends(process));
}

}  // namespace
}  // namespace vmcred::generate
