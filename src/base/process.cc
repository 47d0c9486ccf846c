#include "base/process.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "base/guardian.h"

namespace vmcred {

std::string ExitStatus::text() const {
  if (signal != 0) return fmt::format("signal {} ({})", signal, ::strsignal(signal));  // NOLINT(concurrency-mt-unsafe)
  return fmt::format("exit code {}", code);
}

Child::~Child() {
  if (pid_ > 0) {
    kill(SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void Child::kill(int signal) const {
  if (lifeline_) {
    (void)write_some(lifeline_, "x");  // its guardian ends it, and all that came of it
  } else if (pid_ > 0) {
    ::kill(pid_, signal);
  }
}

Result<> Child::let_go() const { return in("start a guardian", write_all(lifeline_, std::string_view(&kGo, 1))); }

Result<ExitStatus> Child::wait() {
  int raw = 0;
  while (::waitpid(pid_, &raw, 0) < 0) {
    if (errno != EINTR) return fail_errno("wait for process {}", pid_);
  }
  pid_ = -1;
  ExitStatus status;
  if (WIFEXITED(raw)) {
    status.code = WEXITSTATUS(raw);
  } else {
    status.signal = WTERMSIG(raw);
  }
  return status;
}

Result<std::optional<ExitStatus>> Child::wait_for(std::chrono::milliseconds limit) {
  pollfd watched = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int n = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("wait for process {}", pid_);
    if (n == 0) return std::optional<ExitStatus>();
    TRY_LET(const ExitStatus status, wait());
    return std::optional<ExitStatus>(status);
  }
}

Result<Output> run(const Command& command, const RunOptions& options) {
  TRY_LET(FdPair in, make_pipe());
  TRY_LET(FdPair out, make_pipe());
  TRY_LET(FdPair err, make_pipe());
  Command full = command;
  full.descriptors.emplace_back(0, in.first.get());
  full.descriptors.emplace_back(1, out.second.get());
  full.descriptors.emplace_back(2, err.second.get());
  TRY_LET(Child child, spawn(full));
  in.first = Fd();
  out.second = Fd();
  err.second = Fd();
  TRY(set_nonblocking(in.second, true));
  if (options.input.empty()) in.second = Fd();

  Output result;
  std::string_view input = options.input;
  const auto end =
      options.limit ? std::chrono::steady_clock::now() + *options.limit : std::chrono::steady_clock::time_point::max();
  std::string buffer(64 * 1024, '\0');
  while (out.first || err.first) {
    std::vector<pollfd> watched;
    const auto watch = [&watched](const Fd& fd, short events) {
      watched.push_back({.fd = fd ? fd.get() : -1, .events = events, .revents = 0});
    };
    watch(out.first, POLLIN);
    watch(err.first, POLLIN);
    watch(in.second, POLLOUT);
    int patience = -1;
    if (options.limit) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return fail(Errc::unavailable, "'{}' did not end within {} ms", command.argv[0], options.limit->count());
      }
      patience = static_cast<int>(left.count());
    }
    const int n = ::poll(watched.data(), watched.size(), patience);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("wait for '{}'", command.argv[0]);
    const auto drain = [&](Fd& fd, std::string& into, bool fatal) -> Result<> {
      const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
      if (got <= 0) {
        fd = Fd();
        return {};
      }
      if (into.size() + static_cast<std::size_t>(got) > options.max_output) {
        if (fatal)
          return fail(Errc::invalid_data, "'{}' printed more than {} bytes", command.argv[0], options.max_output);
        into.append(buffer, 0, options.max_output - into.size());
        return {};
      }
      into.append(buffer, 0, static_cast<std::size_t>(got));
      return {};
    };
    if (watched[0].revents != 0) TRY(drain(out.first, result.out, true));
    if (watched[1].revents != 0) TRY(drain(err.first, result.err, false));
    if (watched[2].revents != 0) {
      const ssize_t put = write_some(in.second, input);
      if (put > 0) input.remove_prefix(static_cast<std::size_t>(put));
      if (input.empty() || (put < 0 && errno != EINTR && errno != EAGAIN)) in.second = Fd();
    }
  }
  if (options.limit) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    TRY_LET(const auto status, child.wait_for(std::max(left, std::chrono::milliseconds(0))));
    if (!status)
      return fail(Errc::unavailable, "'{}' did not end within {} ms", command.argv[0], options.limit->count());
    result.status = *status;
    return result;
  }
  TRY_LET(result.status, child.wait());
  return result;
}

Result<std::pair<ExitStatus, Secret>> run_for_secret(const Command& command, std::size_t max_bytes) {
  TRY_LET(FdPair out, make_pipe());
  Command full = command;
  full.descriptors.emplace_back(1, out.second.get());
  TRY_LET(Child child, spawn(full));
  out.second = Fd();
  TRY_LET(Secret secret, read_secret(out.first, command.argv[0], max_bytes));
  TRY_LET(const ExitStatus status, child.wait());
  return std::pair(status, std::move(secret));
}

std::optional<std::string> find_program(const std::string& name, std::string_view search_path) {
  const auto runnable = [](const std::string& path) {
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return runnable(name) ? std::optional(name) : std::nullopt;
  while (!search_path.empty()) {
    const auto colon = search_path.find(':');
    const std::string_view folder = search_path.substr(0, colon);
    search_path = colon == std::string_view::npos ? std::string_view() : search_path.substr(colon + 1);
    if (!folder.starts_with('/')) continue;  // never a relative folder
    std::string candidate = join_path(folder, name);
    if (runnable(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace vmcred
