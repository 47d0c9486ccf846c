#include "generate/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "generate/bubblewrap.h"
#include "generate/call_filter.h"
#include "generate/limits.h"
#include "generate/script_groups.h"
#include "generate/unused_user.h"
#include "generate/work_folder.h"

namespace vmcred::generate {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMaxLog = 64 * 1024;
constexpr auto kLookEvery = std::chrono::milliseconds(100);

Result<Fd> memory_file(const char* name, std::string_view text) {
  TRY_LET(Fd file, make_memfd(name));
  TRY(write_all(file, text));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("prepare the sandbox");
  return file;
}

std::string joined_by_nul(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += word;
    text += '\0';
  }
  return text;
}

/// The number behind `"key": ` in what bubblewrap says of itself.
std::optional<int> number_in(std::string_view status, std::string_view key) {
  const std::size_t place = status.find(key);
  if (place == std::string_view::npos) return {};
  const std::size_t digits = status.find_first_of("0123456789", place + key.size());
  if (digits == std::string_view::npos) return {};
  int number = 0;
  for (std::size_t i = digits; i < status.size() && status[i] >= '0' && status[i] <= '9'; ++i)
    number = number * 10 + (status[i] - '0');
  return number;
}

/// One running script and the ends of its pipes that are ours.
struct Running {
  std::optional<ScriptGroup> group = {};  ///< goes after the child
  Child child;
  Fd output;  ///< its stdout and stderr
  Fd status;  ///< bubblewrap's; empty without one
  Fd ready;
  Fd go;
  Secret log = Secret(kMaxLog);
  std::size_t logged = 0;
  std::string said = {};  ///< on `status`
  bool stands = false;    ///< `ready` spoke
  SteadyClock::time_point end;
  std::optional<Consumption> consumption = {};  ///< once it stands
  std::optional<std::string> excess = {};

  /// Reads what there is. False at the end of that pipe.
  bool read_log() {
    std::uint8_t dropped[4096];
    const bool room = logged < log.size();
    const ssize_t n = room ? ::read(output.get(), log.writable().data() + logged, log.size() - logged)
                           : ::read(output.get(), dropped, sizeof dropped);
    wipe(dropped);
    if (n > 0 && room) logged += static_cast<std::size_t>(n);
    return n > 0 || (n < 0 && errno == EINTR);
  }
  bool read_status() {
    char text[4096];
    const ssize_t n = ::read(status.get(), text, sizeof text);
    if (n > 0 && said.size() < kMaxLog) said.append(text, static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
  }
};

/// What ended and was ended has to be gone; that lasts as long as the kernel needs.
Result<> see_the_end(Running& running) {
  running.child.kill(SIGKILL);
  TRY_LET(const auto status, running.child.wait_for(std::chrono::seconds(20)));
  if (!status) return fail(Errc::unavailable, "the script's processes do not end");
  return {};
}

enum class Until : std::uint8_t { stands, ended };
enum class Came : std::uint8_t { yes, too_late, died, greedy };

/// Serves the pipes until the sandbox stands, or until everything in it has ended.
Came serve(Running& running, Until until, const Limits& limits) {
  auto next_look = SteadyClock::now() + kLookEvery;
  while (true) {
    const auto now = SteadyClock::now();
    auto left = std::chrono::ceil<std::chrono::milliseconds>(running.end - now).count();
    if (left <= 0) return Came::too_late;
    if (running.consumption) {
      if (now >= next_look) {
        running.excess = running.consumption->excess(limits);
        if (running.excess) return Came::greedy;
        next_look = SteadyClock::now() + kLookEvery;
      }
      left = std::min(left, std::chrono::ceil<std::chrono::milliseconds>(next_look - now).count());
    }
    // A process that left the script's group may hold the pipes until its guardian ends it.
    pollfd watched[] = {{.fd = running.output ? running.output.get() : -1, .events = POLLIN, .revents = 0},
                        {.fd = running.status ? running.status.get() : -1, .events = POLLIN, .revents = 0},
                        {.fd = running.ready ? running.ready.get() : -1, .events = POLLIN, .revents = 0},
                        {.fd = running.child.pidfd().get(), .events = POLLIN, .revents = 0}};
    if (::poll(watched, std::size(watched), static_cast<int>(std::min<std::int64_t>(left, 60'000))) < 0) continue;
    if (watched[0].revents != 0 && !running.read_log()) running.output = Fd();
    if (watched[1].revents != 0 && !running.read_status()) running.status = Fd();
    if (watched[2].revents != 0) {
      char line = 0;
      running.stands = ::read(running.ready.get(), &line, 1) == 1;
      running.ready = Fd();
      if (!running.stands && until == Until::stands) until = Until::ended;  // say how it ended
    }
    const bool has_pid = !running.status || number_in(running.said, "\"child-pid\"").has_value();
    if (until == Until::stands && running.stands && has_pid) return Came::yes;
    const bool quiet = watched[0].revents == 0 && watched[1].revents == 0;
    if (watched[3].revents != 0 && quiet) return running.stands ? Came::yes : Came::died;
  }
}

/// From a spawned wrapper to the outcome; `open_work` gives the work folder once the sandbox stands.
template <class OpenWork>
Result<Outcome> carry_out(const Job& job, Running& running, std::optional<uid_t> owner, OpenWork open_work) {
  const auto finish = [&](auto what) {
    running.log.shrink_to(running.logged);
    return Outcome{.what = std::move(what), .log = std::move(running.log)};
  };
  const auto failed = [&](const Fd& work, auto what) {
    Outcome outcome = finish(std::move(what));
    outcome.leftovers = leftovers(work, job);
    return outcome;
  };
  const auto no_sandbox = [&] {
    std::string reason(running.log.text().substr(0, running.logged));
    while (reason.ends_with('\n')) reason.pop_back();
    return finish(NoSandbox{reason.empty() ? "it ended before the script began" : std::move(reason)});
  };
  running.end = SteadyClock::now() + std::chrono::seconds(20);
  if (serve(running, Until::stands, job.limits) != Came::yes) {
    TRY(see_the_end(running));
    return no_sandbox();
  }
  TRY_LET(const Fd work, open_work(running));
  TRY(fill_work_folder(work, job, owner));
  TRY(write_all(running.go, "\n"));
  running.go = Fd();
  running.end = SteadyClock::now() + job.limits.time;
  const Came came = serve(running, Until::ended, job.limits);
  if (came == Came::too_late || came == Came::greedy) {
    TRY(see_the_end(running));
    return failed(work, Stopped{running.excess.value_or("it ran longer than " + spoken(job.limits.time))});
  }
  TRY_LET(ExitStatus status, running.child.wait());
  if (running.group && running.group->ran_out_of_memory()) return failed(work, Stopped{memory_text(job.limits)});
  if (!running.said.empty()) {
    const std::optional<int> code = number_in(running.said, "\"exit-code\"");
    if (!code) return no_sandbox();
    status = {.code = *code};
  }
  if (!status.ok()) {
    const std::string_view log = running.log.text().substr(0, running.logged);
    if (std::optional<std::string> limit = limit_hit(job.limits, status, log, work))
      return failed(work, Stopped{*std::move(limit)});
    return failed(work, ScriptFailed{status});
  }
  TRY_LET(Taken taken, take_outputs(work, job));
  if (taken.bad) return failed(work, *std::move(taken.bad));
  return finish(std::move(taken.made));
}

struct Pipes {
  FdPair output, status, ready, go;
  static Result<Pipes> make() {
    Pipes pipes;
    TRY_LET(pipes.output, make_pipe());
    TRY_LET(pipes.status, make_pipe());
    TRY_LET(pipes.ready, make_pipe());
    TRY_LET(pipes.go, make_pipe());
    return pipes;
  }
};

std::optional<ScriptGroup> group_for(const Job& job) {
  if (job.groups == nullptr) return {};
  Result<ScriptGroup> group = job.groups->next(job.limits);
  if (!group) return {};
  return *std::move(group);
}

std::vector<std::pair<int, rlim_t>> limits_of(const Job& job) {
  // RLIMIT_DATA counts what a process really takes; the address space is bounded loosely, since some reserve a lot.
  return {{RLIMIT_CORE, 0},
          {RLIMIT_DATA, job.limits.memory_bytes},
          {RLIMIT_AS, std::max<rlim_t>(job.limits.memory_bytes * 16, 1ULL << 30U)},
          {RLIMIT_FSIZE, job.limits.file_bytes},
          {RLIMIT_NOFILE, 256},
          {RLIMIT_MSGQUEUE, 0},
          {RLIMIT_CPU, static_cast<rlim_t>(job.limits.time.count() / 1000 + 10)}};
}

}  // namespace

Result<Outcome> run_in_sandbox(const Job& job) {
  const auto bash = find_program("bash", kSystemPath);
  const auto bwrap = find_program("bwrap", kSystemPath);
  if (!bwrap) return Outcome{.what = NoSandbox{"bubblewrap (the program 'bwrap') is not installed"}};
  if (!bash) return Outcome{.what = NoSandbox{"bash is not installed"}};
  std::vector<std::string> options = bubblewrap_options(job);
  TRY_LET(const Fd arguments, memory_file("sandbox-arguments", joined_by_nul(options)));
  TRY_LET(const Fd script, memory_file("script", job.script));
  TRY_LET(const Fd passwd, memory_file("passwd", kSandboxPasswd));
  TRY_LET(const Fd group, memory_file("group", kSandboxGroup));
  TRY_LET(const Fd filter, call_filter());
  TRY_LET(Pipes pipes, Pipes::make());

  const std::optional<uid_t> user = unused_user();
  Command command = {.argv = {*bwrap, "--args", std::to_string(kArgumentsFd), "--", *bash, "-c",
                              wrapper(job, kSandboxScript, kSandboxWork)},
                     .environment = std::vector<std::string>{},
                     .folder = "/",
                     .descriptors = {{1, pipes.output.second.get()},
                                     {2, pipes.output.second.get()},
                                     {kArgumentsFd, arguments.get()},
                                     {kFilterFd, filter.get()},
                                     {kStatusFd, pipes.status.second.get()},
                                     {kReadyFd, pipes.ready.second.get()},
                                     {kGoFd, pipes.go.first.get()},
                                     {kScriptFd, script.get()},
                                     {kPasswdFd, passwd.get()},
                                     {kGroupFd, group.get()}},
                     .user = user,
                     .limits = limits_of(job),
                     .guarded = true};
  std::optional<ScriptGroup> cgroup = group_for(job);
  if (cgroup) {
    command.place = [&cgroup](pid_t guardian) -> Result<> {
      if (!cgroup->take(guardian)) cgroup.reset();  // then the look has to do
      return {};
    };
  }
  TRY_LET(Child child, spawn(command));
  Running running = {.group = std::move(cgroup),
                     .child = std::move(child),
                     .output = std::move(pipes.output.first),
                     .status = std::move(pipes.status.first),
                     .ready = std::move(pipes.ready.first),
                     .go = std::move(pipes.go.second),
                     .end = {}};
  pipes = Pipes();  // the child's ends
  return carry_out(job, running, user, [](Running& now) -> Result<Fd> {
    // The script has not begun, so this is still bubblewrap's own first process, looking at the finished sandbox.
    const std::string root = fmt::format("/proc/{}/root", number_in(now.said, "\"child-pid\"").value_or(0));
    TRY_LET(now.consumption, in("look into the sandbox", Consumption::of(root)));
    const std::string path = root + kSandboxWork;
    Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return fail_errno("reach into the sandbox at '{}'", path);
    return folder;
  });
}

Result<Outcome> run_without_sandbox(const Job& job) {
  const auto bash = find_program("bash", kSystemPath);
  if (!bash) return Outcome{.what = NoSandbox{"bash is not installed"}};
  // Memory that the kernel shares among processes is the only private place that needs no rights.
  TRY_LET(const TemporaryFolder folder, in("make a folder in memory", TemporaryFolder::make("/dev/shm")));
  const std::string bin = folder.path() + "/bin";
  const std::string work = folder.path() + "/work";
  TRY(make_folders(bin, 0700));
  TRY(make_folders(work, 0700));
  for (const auto& [name, program] : job.commands)
    if (::symlink(program.c_str(), (bin + "/" + name).c_str()) != 0) return fail_errno("make the script's PATH");
  TRY(write_file(folder.path() + "/script", job.script, 0600));
  TRY_LET(Pipes pipes, Pipes::make());
  std::vector<std::string> environment;
  for (const auto& [name, value] : script_environment(work, bin)) environment.push_back(name + "=" + value);
  Command command = {.argv = {*bash, "-c",
                              fmt::format("echo >&{0}; read -r _ <&{1} || exit 125; exec {0}>&- {1}<&- </dev/null; "
                                          "unset _; cd {2}; set -euo pipefail; . {3}/script",
                                          kReadyFd, kGoFd, work, folder.path())},
                     .environment = std::move(environment),
                     .folder = work,
                     .descriptors = {{1, pipes.output.second.get()},
                                     {2, pipes.output.second.get()},
                                     {kReadyFd, pipes.ready.second.get()},
                                     {kGoFd, pipes.go.first.get()}},
                     .new_session = true,
                     .limits = limits_of(job),
                     .guarded = true};
  TRY_LET(Child child, spawn(command));
  Running running = {.child = std::move(child),
                     .output = std::move(pipes.output.first),
                     .status = {},
                     .ready = std::move(pipes.ready.first),
                     .go = std::move(pipes.go.second),
                     .end = {}};
  pipes = Pipes();
  return carry_out(job, running, {}, [&](const Running&) { return open_folder(work); });
}

}  // namespace vmcred::generate
