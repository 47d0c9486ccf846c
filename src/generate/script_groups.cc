#include "generate/script_groups.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/guardian.h"

namespace vmcred::generate {
namespace {

constexpr auto kJobLimit = std::chrono::seconds(10);
constexpr auto kLongestPause = std::chrono::milliseconds(50);
/// Of the kernel and of bubblewrap, beside what a script may use.
constexpr std::uint64_t kOverhead = 32ULL << 20U;
constexpr unsigned kOverheadProcesses = 8;

/// A file of a cgroup is written by one call, and what it says about the text is that call's result.
Result<> set(const std::string& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return fail_errno("open '{}'", path);
  if (::write(file.get(), text.data(), text.size()) < 0) return fail_errno("write '{}' to '{}'", text, path);
  return {};
}

Result<> wait_for(SystemdBus& bus, const std::string& job) {
  const auto end = std::chrono::steady_clock::now() + kJobLimit;
  std::chrono::milliseconds pause(1);
  while (true) {
    TRY_LET(const bool waits, bus.job_exists(job));
    if (!waits) return {};
    if (std::chrono::steady_clock::now() > end) return fail(Errc::unavailable, "systemd does not make a scope");
    // PID 1 does its jobs when nobody asks it anything: who asks without a pause keeps it from them.
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

/// "/user.slice/…" from "0::/user.slice/…" in a process's cgroup file.
Result<std::string> group_of(pid_t process) {
  TRY_LET(const std::string text, read_file(fmt::format("/proc/{}/cgroup", process), 4096));
  constexpr std::string_view kUnified = "0::";
  const std::size_t place = text.starts_with(kUnified) ? 0 : text.find("\n0::");
  if (place == std::string::npos) return fail(Errc::unavailable, "the process has no unified cgroup");
  const std::size_t begin = text.find("0::", place) + kUnified.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

Result<ScriptGroups> ScriptGroups::make(const std::string& socket, const std::string& tree) {
  struct statfs system = {};
  if (::statfs(tree.c_str(), &system) != 0 || system.f_type != CGROUP2_SUPER_MAGIC)
    return fail(Errc::unavailable, "'{}' is no unified cgroup tree", tree);
  TRY_LET(SystemdBus bus, SystemdBus::connect(socket));
  TRY_LET(Child keeper, spawn_keeper());
  static std::atomic<unsigned> number = 0;
  const std::string unit = fmt::format("vmcred-scripts-{}-{}.scope", ::getpid(), ++number);
  TRY_LET(const std::string job, bus.start_scope(unit, "scripts of vmcred", keeper.pid()));
  TRY(wait_for(bus, job));
  TRY_LET(const std::string group, group_of(keeper.pid()));
  if (!group.ends_with("/" + unit)) return fail(Errc::unavailable, "systemd made no scope");
  const std::string path = tree + group;
  // A cgroup that has processes of its own can hand out nothing to those below it.
  if (::mkdir((path + "/keeper").c_str(), 0755) != 0) return fail_errno("make a cgroup in '{}'", path);
  TRY(set(path + "/keeper/cgroup.procs", std::to_string(keeper.pid())));
  TRY(set(path + "/cgroup.subtree_control", "+memory +pids"));
  return ScriptGroups(std::move(bus), std::move(keeper), unit, path);
}

Result<ScriptGroup> ScriptGroups::next(const Limits& limits) const {
  std::string name;
  {
    const std::scoped_lock hold(shared_->mutex);
    name = fmt::format("{}", ++shared_->made);
  }
  const std::string path = join_path(path_, name);
  if (::mkdir(path.c_str(), 0755) != 0) return fail_errno("make the cgroup '{}'", path);
  ScriptGroup group(*this, name, path);
  // Its private folders are memory too, each with a limit of its own.
  TRY(set(path + "/memory.max", std::to_string(limits.memory_bytes + 2 * limits.disk_bytes + kOverhead)));
  TRY(set(path + "/memory.oom.group", "1"));
  TRY(set(path + "/pids.max", std::to_string(limits.processes + kOverheadProcesses)));
  if (exists(path + "/memory.swap.max")) TRY(set(path + "/memory.swap.max", "0"));
  return group;
}

Result<> ScriptGroup::take(pid_t process) const {
  const Result<> moved = set(path_ + "/cgroup.procs", std::to_string(process));
  if (moved) return {};
  // From a session a user may not move a process to his manager's part of the tree; systemd does it for him.
  const std::scoped_lock hold(groups_->shared_->mutex);
  return groups_->shared_->bus.attach(groups_->unit_, "/" + name_, process);
}

bool ScriptGroup::ran_out_of_memory() const {
  const std::string events = read_file(path_ + "/memory.events", 4096).value_or("");
  constexpr std::string_view kKills = "\noom_kill ";
  const std::size_t place = events.find(kKills);
  return place != std::string::npos && events.substr(place + kKills.size(), 2) != "0\n";
}

ScriptGroup::~ScriptGroup() {
  if (!path_.empty()) (void)::rmdir(path_.c_str());
}

}  // namespace vmcred::generate
