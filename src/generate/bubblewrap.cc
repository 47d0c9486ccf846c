#include "generate/bubblewrap.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace vmcred::generate {
namespace {

struct Options {
  std::vector<std::string> list;
  template <class... Words>
  void add(Words&&... words) {
    (list.emplace_back(std::forward<Words>(words)), ...);
  }
};

/// /bin and its like: links into /usr on most systems, folders of their own on some.
void add_system_folder(Options& options, const char* path) {
  struct stat status = {};
  if (::lstat(path, &status) != 0) return;
  if (S_ISLNK(status.st_mode)) {
    std::array<char, PATH_MAX> target = {};
    const ssize_t size = ::readlink(path, target.data(), target.size());
    if (size > 0) options.add("--symlink", std::string(target.data(), static_cast<std::size_t>(size)), path);
  } else {
    options.add("--ro-bind", path, path);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> script_environment(const std::string& work, const std::string& path) {
  return {{"PATH", path},
          {"HOME", "/tmp"},
          {"TMPDIR", "/tmp"},
          {"LANG", "C.UTF-8"},
          {"in", work + "/in"},
          {"out", work + "/out"},
          {"prompts", work + "/prompts"}};
}

std::vector<std::string> bubblewrap_options(const Job& job) {
  Options options;
  // Own namespaces for everything; none inside may be made again.
  options.add("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session");
  options.add("--uid", "1000", "--gid", "1000", "--hostname", "generator");
  // The system, read-only: programs and libraries, not /etc, /home, /root, /run, /srv or /var.
  options.add("--ro-bind", "/usr", "/usr");
  for (const char* path : {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}) add_system_folder(options, path);
  if (::access("/nix/store", F_OK) == 0) options.add("--ro-bind", "/nix/store", "/nix/store");
  options.add("--dir", "/etc");
  options.add("--ro-bind-data", std::to_string(kPasswdFd), "/etc/passwd");
  options.add("--ro-bind-data", std::to_string(kGroupFd), "/etc/group");
  for (const char* path : {"/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/openssl.cnf", "/etc/localtime"})
    options.add("--ro-bind-try", path, path);
  // Its own kernel views and devices (null, zero, full, random, urandom, tty).
  // What gives zeros is /dev/full: a shared mapping of /dev/zero would be memory that no limit counts, and this cannot
  // be mapped.
  options.add("--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/full", "/dev/zero", "--remount-ro", "/dev");
  // Named semaphores (python's multiprocessing) stand there.
  options.add("--perms", "1777", "--size", std::to_string(1U << 20U), "--tmpfs", "/dev/shm");
  // Memory of its own: all that it can write to.
  const std::string size = std::to_string(job.limits.disk_bytes);
  options.add("--perms", "1777", "--size", size, "--tmpfs", "/tmp");
  options.add("--perms", "0700", "--size", size, "--tmpfs", kSandboxWork);
  // Tools from elsewhere, which may be below /tmp.
  for (const std::string& path : job.read_only) options.add("--ro-bind", path, path);
  // Its PATH, one link a command, and the script.
  options.add("--perms", "0555", "--dir", "/vmcred", "--perms", "0555", "--dir", kSandboxPath);
  for (const auto& [name, program] : job.commands)
    options.add("--symlink", program, fmt::format("{}/{}", kSandboxPath, name));
  options.add("--ro-bind-data", std::to_string(kScriptFd), kSandboxScript);
  options.add("--remount-ro", "/", "--chdir", kSandboxWork);
  // Nothing of our environment.
  options.add("--clearenv");
  for (const auto& [name, value] : script_environment(kSandboxWork, kSandboxPath)) options.add("--setenv", name, value);
  options.add("--seccomp", std::to_string(kFilterFd), "--json-status-fd", std::to_string(kStatusFd));
  return options.list;
}

std::string wrapper(const Job& job, const std::string& script, const std::string& work) {
  // RLIMIT_NPROC counts within the sandbox's own user namespace, so it can only be set in there.
  return fmt::format(
      "echo >&{0}; read -r _ <&{1} || exit 125; exec {0}>&- {1}<&- </dev/null; unset _\n"
      "{{ echo 1000 >/proc/self/oom_score_adj; }} 2>/dev/null || true\n"
      "ulimit -u {2}; cd {3}; set -euo pipefail; . {4}\n",
      kReadyFd, kGoFd, job.limits.processes, work, script);
}

}  // namespace vmcred::generate
