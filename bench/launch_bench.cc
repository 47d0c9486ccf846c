// From the start of `vmcred vm run` to the exec of the VMM, beside a plain exec of the VMM and a shell runner.
// links: vmcred_base
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"

extern char** environ;  // NOLINT

namespace {

using vmcred::join_path;

std::int64_t now_ns() {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/// A program whose first instructions note the time, so that "the VMM runs" does not include a C library's start.
/// It gets the path of its stamp after "-stamp".
constexpr std::string_view kStampProgram = R"(
#include <asm/unistd.h>
static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
__attribute__((used)) void begin(long* stack) {
  long time[2];
  call(__NR_clock_gettime, 1, (long)time, 0);
  char** words = (char**)(stack + 1);
  for (long i = 1; i + 1 < stack[0]; ++i) {
    const char *a = words[i], *b = "-stamp";
    while (*a && *a == *b) ++a, ++b;
    if (*a || *b) continue;
    long fd = call(__NR_open, (long)words[i + 1], 01 | 0100 | 01000, 0600);
    long nanoseconds = time[0] * 1000000000L + time[1];
    call(__NR_write, fd, (long)&nanoseconds, sizeof nanoseconds);
  }
  call(__NR_exit, 0, 0, 0);
}
__asm__(".globl _start\n_start: mov %rsp, %rdi\nand $-16, %rsp\ncall begin");
)";

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "launch_bench: %s\n", what.c_str());
  std::exit(1);
}

void must(const vmcred::Result<>& result) {
  if (!result) give_up(result.error().message);
}

std::string build_stamp(const std::string& folder) {
  const std::string program = join_path(folder, "stamp-vmm");
  const std::string source = program + ".c";
  must(vmcred::write_file(source, kStampProgram, 0644));
  const std::string command =
      fmt::format("cc -O1 -static -nostdlib -fno-stack-protector -o '{}' '{}'", program, source);
  if (std::system(command.c_str()) != 0) give_up("cannot build the stamp program");  // NOLINT
  return program;
}

/// Microseconds from before the fork to the stamp of the VMM.
double launch(const std::vector<std::string>& words, const std::vector<std::string>& environment,
              const std::string& stamp) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& word : environment) envp.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  envp.push_back(nullptr);
  (void)::unlink(stamp.c_str());
  const std::int64_t start = now_ns();
  const pid_t child = ::vfork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 2);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::int64_t time = 0;
  const auto text = vmcred::read_file(stamp, sizeof time);
  if (!text || text->size() != sizeof time) give_up("'" + words[0] + "' did not start the VMM");
  std::memcpy(&time, text->data(), sizeof time);
  return static_cast<double>(time - start) / 1000;
}

struct Figures {
  double median, low, high;  ///< low and high: the quartiles
};
Figures figures(std::vector<double> samples) {
  std::ranges::sort(samples);
  return {samples[samples.size() / 2], samples[samples.size() / 4], samples[samples.size() * 3 / 4]};
}

std::string declaration(int credentials, const std::string& program, const std::string& stamp) {
  std::string text = "[machines.host]\n[generators.g]\nscript = 'true'\n";
  for (int i = 0; i < credentials; ++i) text += fmt::format("files.secret-{} = {{}}\n", i);
  text += fmt::format(
      "[vms.bench]\nmachine = \"host\"\nhypervisor = \"qemu\"\nbinary = \"{}\"\nkernel = \"{}\"\n"
      "allow-options = [\"stamp=\"]\nextra-arguments = [\"-stamp\", \"{}\"]\n[vms.bench.credentials]\n",
      program, program, stamp);
  for (int i = 0; i < credentials; ++i)
    text += fmt::format("secret-{} = {{ from = \"g/secret-{}\", services = [\"s\"] }}\n", i, i);
  return text;
}

void compare(int credentials, const std::string& vmcred, const std::string& runner, const std::string& vmm,
             int rounds) {
  auto folder = vmcred::TemporaryFolder::make();
  if (!folder) give_up(folder.error().message);
  const std::string root = folder->path();
  const std::string stamp = join_path(root, "stamp");
  const std::string values = join_path(root, "credentials");
  must(vmcred::make_folders(values));
  must(vmcred::make_folders(join_path(root, "run"), 0700));
  for (int i = 0; i < credentials; ++i) {
    must(vmcred::write_file(fmt::format("{}/host-secret-{}", values, i), fmt::format("{:044}", i), 0400));
  }
  must(vmcred::write_file(join_path(root, "vmcred.toml"), declaration(credentials, vmm, stamp), 0644));

  const std::string path = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/usr/bin:/bin";
  const std::vector<std::string> environment = {"PATH=" + path, "CREDENTIALS_DIRECTORY=" + values,
                                                "RUNTIME_DIRECTORY=" + join_path(root, "run")};
  std::vector<double> plain, ours, shell;
  for (int i = 0; i < rounds; ++i) {
    plain.push_back(launch({vmm, "-stamp", stamp}, environment, stamp));
    ours.push_back(
        launch({vmcred, "--project", root, "--quiet", "vm", "run", "bench", "--accel", "tcg"}, environment, stamp));
    if (i % 3 == 0) shell.push_back(launch({"/usr/bin/env", "bash", runner, vmm, "-stamp", stamp}, environment, stamp));
  }
  const Figures p = figures(plain), o = figures(ours), s = figures(shell);
  fmt::print("{} credentials, start of the process to the VMM's first instruction (median, quartiles of {} runs):\n",
             credentials, rounds);
  fmt::print("  plain exec     {:8.2f} ms  ({:.2f} to {:.2f})\n", p.median / 1000, p.low / 1000, p.high / 1000);
  fmt::print("  vmcred vm run  {:8.2f} ms  ({:.2f} to {:.2f}): {:.2f} ms over plain exec\n", o.median / 1000,
             o.low / 1000, o.high / 1000, (o.median - p.median) / 1000);
  fmt::print("  shell runner   {:8.2f} ms  ({:.2f} to {:.2f}): {:.1f} times vmcred\n", s.median / 1000, s.low / 1000,
             s.high / 1000, s.median / o.median);
}

}  // namespace

int main(int count, char** arguments) {
  const char* const vmcred = std::getenv("VMCRED");
  if (vmcred == nullptr) give_up("set VMCRED to the program; bench/run does");
  auto folder = vmcred::TemporaryFolder::make();
  if (!folder) give_up(folder.error().message);
  const std::string vmm = build_stamp(folder->path());
  const char* const source = count > 1 ? arguments[1] : "bench";
  const std::string runner = join_path(source, "shell_runner");
  compare(10, vmcred, runner, vmm, 90);
  compare(250, vmcred, runner, vmm, 30);
  return 0;
}
