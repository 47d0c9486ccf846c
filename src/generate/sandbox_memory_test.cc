// Memory that no rlimit counts: the doors to it are shut, and what programs need of them goes on working.
#include "base/process.h"
#include "trial_sandbox.h"

namespace vmcred::generate {
namespace {

Job python(const std::string& code) {
  return job(fmt::format("python3 - <<'END' > \"$out/x\"\n{}\nEND\n", code), {"x"}, {"python3"});
}

std::string limit_of(const Job& what) {
  const Outcome outcome = outcome_of(what);
  const auto* stopped = std::get_if<Stopped>(&outcome.what);
  return stopped == nullptr ? fmt::format("not stopped ({}): {}", outcome.what.index(), outcome.log.text())
                            : stopped->limit;
}

TEST(SandboxMemory, SharedMemoryWithoutANameIsRefused) {
  EXPECT_EQ(made(python(R"py(
import ctypes, errno, mmap, os
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
def attempt(flags, fd):
    result = libc.mmap(None, 1 << 20, 3, flags, fd, 0)
    print("refused" if result == ctypes.c_void_p(-1).value else "mapped", end=" ")
shared, validate, private, anonymous = 1, 3, 2, 0x20
for kind in (shared, validate):
    attempt(kind | anonymous, -1)
    attempt(kind | anonymous | 0x4000, -1)  # and MAP_NORESERVE
attempt(private | anonymous | 0x4000, -1)
zero = os.open("/dev/zero", os.O_RDWR)
attempt(shared, zero)
attempt(private, zero)
attempt(shared | anonymous, zero)
print(os.read(zero, 4)))py")),
            "refused refused refused refused mapped refused refused refused b'\\x00\\x00\\x00\\x00'\n");
}

TEST(SandboxMemory, QueuesSemaphoresAndSegmentsAreNotThere) {
  EXPECT_EQ(made(python(R"py(
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for name in ("msgget", "semget", "shmget"):
    ctypes.set_errno(0)
    print(getattr(libc, name)(0, 1, 0o1600), ctypes.get_errno() == errno.ENOSYS)
attributes = (ctypes.c_long * 8)(0, 10, 8192)
print(libc.mq_open(b"/x", 0o102, 0o600, attributes), ctypes.get_errno() == errno.ENOSYS))py")),
            "-1 True\n-1 True\n-1 True\n-1 True\n");
}

TEST(SandboxMemory, BuffersOfSocketsAndPipesDoNotGrow) {
  EXPECT_EQ(made(python(R"py(
import fcntl, os, socket
a, b = socket.socketpair()
before = [a.getsockopt(socket.SOL_SOCKET, option) for option in (socket.SO_SNDBUF, socket.SO_RCVBUF)]
for option in (socket.SO_SNDBUF, socket.SO_RCVBUF, 32, 33): a.setsockopt(socket.SOL_SOCKET, option, 1 << 26)
print(before == [a.getsockopt(socket.SOL_SOCKET, option) for option in (socket.SO_SNDBUF, socket.SO_RCVBUF)])
a.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
reader, writer = os.pipe()
try: print(fcntl.fcntl(writer, 1031, 1 << 20))
except OSError as error: print(error.strerror, fcntl.fcntl(writer, 1032)))py")),
            "True\nOperation not permitted 65536\n");
}

TEST(SandboxMemory, WhatSocketsHoldCounts) {
  // Each of the processes stays below its number of files, and holds hardly anything itself.
  Job what = python(R"py(
import os, socket, time
for child in range(40):
    if os.fork() == 0: break
kept = []
while len(kept) < 100:
    pair = socket.socketpair()
    pair[0].setblocking(False)
    try:
        while True: pair[0].send(b"x" * 65536)
    except BlockingIOError: pass
    kept.append(pair)
time.sleep(1000))py");
  what.limits.memory_bytes = 256 << 20;
  EXPECT_EQ(limit_of(what), "it needed more than 256 MiB of memory");
}

TEST(SandboxMemory, AProcessHasFewFiles) { EXPECT_EQ(made(job(R"sh(ulimit -n > "$out/x")sh")), "256\n"); }

TEST(SandboxMemory, ToolsGoOnWorking) {
  EXPECT_EQ(made(python(R"py(
import multiprocessing
def work(queue, array, lock):
    with lock: array[0] += 1
    queue.put("done")
queue, array, lock = multiprocessing.Queue(), multiprocessing.Array("i", 2), multiprocessing.Lock()
workers = [multiprocessing.Process(target=work, args=(queue, array, lock)) for _ in range(3)]
for worker in workers: worker.start()
said = [queue.get() for _ in workers]
for worker in workers: worker.join()
with multiprocessing.Pool(2) as pool: print(said, array[0], pool.map(abs, [-1, 2])))py")),
            "['done', 'done', 'done'] 3 [1, 2]\n");
  EXPECT_EQ(
      made(job(R"sh(openssl genpkey -algorithm ed25519 -out key; openssl pkey -in key -pubout | head -1 > "$out/x")sh",
               {"x"}, {"openssl"})),
      "-----BEGIN PUBLIC KEY-----\n");
  EXPECT_EQ(
      made(job(
          R"sh(perl -e 'my $pid = open(my $pipe, "-|"); if (!$pid) { print "child"; exit } print <$pipe>' > "$out/x")sh",
          {"x"}, {"perl"})),
      "child");
}

TEST(SandboxMemory, GnupgsAgentGoesOnWorking) {
  if (!find_program("gpg-agent", kSystemPath)) {
    std::puts("NOT RUN HERE: gpg-agent is not installed (tools/setup does it)");
    return;
  }
  EXPECT_EQ(made(job(R"sh(export GNUPGHOME=/tmp/g; mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-gen-key test@example.org ed25519 sign never
echo text | gpg --batch --sign | gpg --batch --verify 2>&1 | grep -o 'Good signature' > "$out/x")sh",
                     {"x"}, {"gpg", "gpg-agent", "gpgconf", "grep"})),
            "Good signature\n");
}

}  // namespace
}  // namespace vmcred::generate
