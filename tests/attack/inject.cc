// Runs a program and lets one of its system calls go wrong: an error, a kill, or something that happens to the files
// meanwhile.
//   inject [--count FILE] [--calls NAME,…] [--nth N (--error NAME | --kill | --run COMMAND)] -- PROGRAM ARGUMENTS
// Threads of the program are followed, programs that it starts are not. The exit code is the program's, or 128 + its
// signal.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

#if defined(__x86_64__)
const std::map<std::string, long> kCalls = {
    {"read", SYS_read},           {"write", SYS_write},         {"pwrite", SYS_pwrite64},
    {"openat", SYS_openat},       {"openat2", SYS_openat2},     {"mkdir", SYS_mkdir},
    {"mkdirat", SYS_mkdirat},     {"symlink", SYS_symlink},     {"symlinkat", SYS_symlinkat},
    {"link", SYS_link},           {"linkat", SYS_linkat},       {"rename", SYS_rename},
    {"renameat", SYS_renameat},   {"renameat2", SYS_renameat2}, {"unlink", SYS_unlink},
    {"unlinkat", SYS_unlinkat},   {"rmdir", SYS_rmdir},         {"fsync", SYS_fsync},
    {"fdatasync", SYS_fdatasync}, {"syncfs", SYS_syncfs},       {"ftruncate", SYS_ftruncate},
    {"fchmod", SYS_fchmod},       {"fchown", SYS_fchown},       {"mmap", SYS_mmap},
    {"mlock", SYS_mlock},         {"memfd", SYS_memfd_create},  {"pipe", SYS_pipe2},
    {"socket", SYS_socket},       {"clone", SYS_clone},         {"clone3", SYS_clone3},
    {"fork", SYS_fork},           {"vfork", SYS_vfork},         {"flock", SYS_flock},
    {"random", SYS_getrandom},    {"stat", SYS_newfstatat},     {"fstat", SYS_fstat},
    {"getdents", SYS_getdents64}, {"readlink", SYS_readlink},   {"fcntl", SYS_fcntl},
    {"poll", SYS_poll},           {"lseek", SYS_lseek},         {"chmod", SYS_chmod},
    {"statx", SYS_statx},         {"lstat", SYS_lstat}};
#else
const std::map<std::string, long> kCalls = {};
#endif
const std::map<std::string, int> kErrors = {
    {"ENOSPC", ENOSPC}, {"EIO", EIO},     {"EMFILE", EMFILE}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES},
    {"EROFS", EROFS},   {"EINTR", EINTR}, {"EAGAIN", EAGAIN}, {"EDQUOT", EDQUOT}, {"ENFILE", ENFILE}};

struct Plan {
  std::string count;
  std::set<long> calls;
  long nth = 0;
  int error = 0;
  bool kill = false;
  std::string run;
};

[[noreturn]] void usage(const char* what) {
  std::fprintf(stderr, "inject: %s\n", what);
  std::exit(99);
}

char** read_plan(char** words, Plan& plan) {
  for (++words; *words != nullptr && std::strcmp(*words, "--") != 0; ++words) {
    const std::string option = *words;
    if (option == "--kill") {
      plan.kill = true;
      continue;
    }
    if (*++words == nullptr) usage("a value is missing");
    const std::string value = *words;
    if (option == "--count") plan.count = value;
    if (option == "--nth") plan.nth = std::atol(value.c_str());
    if (option == "--error") plan.error = kErrors.at(value);
    if (option == "--run") plan.run = value;
    if (option != "--calls") continue;
    for (std::size_t at = 0; at <= value.size();) {
      const std::size_t end = std::min(value.find(',', at), value.size());
      plan.calls.insert(kCalls.at(value.substr(at, end - at)));
      at = end + 1;
    }
  }
  if (*words == nullptr || words[1] == nullptr) usage("no program");
  if (plan.calls.empty())
    for (const auto& [name, number] : kCalls) plan.calls.insert(number);
  return words + 1;
}

int trace(pid_t child, const Plan& plan) {
  long met = 0;
  std::map<pid_t, int> to_fail;  // threads in a call that is left out, and what it answers
  int status = 0;
  while (true) {
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0) return 98;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread != child) continue;
      if (FILE* file = plan.count.empty() ? nullptr : std::fopen(plan.count.c_str(), "w")) {
        std::fprintf(file, "%ld\n", met);
        (void)std::fclose(file);
      }
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    long deliver = 0;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      __ptrace_syscall_info call = {};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call);
      if (call.op == PTRACE_SYSCALL_INFO_ENTRY && plan.calls.contains(static_cast<long>(call.entry.nr)) &&
          ++met == plan.nth) {
        if (plan.kill) ::kill(child, SIGKILL);
        if (!plan.run.empty()) (void)!std::system(plan.run.c_str());  // NOLINT
        if (plan.error != 0) to_fail[thread] = plan.error;
      }
#if defined(__x86_64__)
      if (const auto failing = to_fail.find(thread); failing != to_fail.end()) {
        user_regs_struct registers = {};
        ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers);
        if (call.op == PTRACE_SYSCALL_INFO_ENTRY) {
          registers.orig_rax = static_cast<unsigned long long>(-1);
        } else {
          registers.rax = static_cast<unsigned long long>(-failing->second);
          to_fail.erase(failing);
        }
        ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      }
#endif
    } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
      deliver = WSTOPSIG(status);
    }
    ::ptrace(PTRACE_SYSCALL, thread, nullptr, deliver);
  }
}

}  // namespace

int main(int, char** argv) {
  if (kCalls.empty()) usage("this processor's registers are not known");
  Plan plan;
  char** const program = read_plan(argv, plan);
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::execvp(program[0], program);
    ::_exit(97);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE);
  ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  return trace(child, plan);
}
