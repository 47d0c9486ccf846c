#include "base/guarded_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <deque>

namespace vmcred {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel's

/// One name of a path, and the link that it stands in ("": the path that was asked for).
struct Step {
  std::string name;
  std::string link = {};
};

void put_in_front(std::deque<Step>& steps, std::string_view path, const std::string& link) {
  std::deque<Step> first;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (!name.empty() && name != ".") first.push_back({.name = std::string(name), .link = link});
  }
  steps.insert(steps.begin(), std::make_move_iterator(first.begin()), std::make_move_iterator(first.end()));
}

Result<> check_owner(const struct stat& status, const std::string& shown) {
  if (status.st_uid == 0 || status.st_uid == ::geteuid()) return {};
  return hint(fail(Errc::denied, "'{}' belongs to another user (uid {})", shown, status.st_uid),
              fmt::format("look at what is in it; if it is right, make it yours or root's: 'chown -h {} {}'",
                          ::geteuid(), shown));
}

Result<> check_mode(const struct stat& status, mode_t forbidden, const std::string& shown) {
  if ((status.st_mode & forbidden) == 0) return {};
  return hint(fail(Errc::denied, "'{}' may be {} by others (mode {:04o})", shown,
                   (forbidden & 0044U) != 0 ? "read" : "written", status.st_mode & 07777U),
              fmt::format("run 'chmod go-{} {}'", (forbidden & 0044U) != 0 ? "rwx" : "w", shown));
}

Result<std::string> target_of(const Fd& link, const std::string& shown) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
  if (size < 0) return fail_errno("read the link '{}'", shown);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

/// Goes from the root folder to a file, and holds each folder open while it looks at the next name.
class Walk {
 public:
  explicit Walk(Others others) : others_(others) {}

  Result<std::optional<Fd>> to(const std::string& path) {
    if (!path.starts_with('/')) return fail(Errc::usage, "'{}' is no absolute path", path);
    put_in_front(steps_, path, "");
    TRY(begin_at_root());
    while (!steps_.empty()) {
      const Step step = std::move(steps_.front());
      steps_.pop_front();
      TRY_LET(Next next, take(step));
      if (next.absent) return std::nullopt;
      if (next.file && !safe_) return std::unexpected(safe_.error());
      if (next.file) return std::optional(std::move(next.file));
    }
    return fail(Errc::invalid_data, "'{}' is a folder and no file", shown_);
  }

 private:
  struct Next {
    bool absent = false;
    Fd file = {};
  };

  /// What is not there is nobody's to spoil: a complaint counts when there is a file at the end.
  void note(Result<> complaint) {
    if (safe_) safe_ = std::move(complaint);
  }

  Result<> begin_at_root() {
    here_ = Fd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!here_) return fail_errno("open '/'");
    shown_.clear();
    return {};
  }

  Result<Next> take(const Step& step) {
    const std::string shown = shown_ + "/" + step.name;
    Fd fd(::openat(here_.get(), step.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT && step.link.empty()) return Next{.absent = true};
    if (!fd && errno == ENOENT)
      return hint(
          fail(Errc::invalid_data, "the link '{}' leads nowhere: there is no '{}'", step.link, shown),
          fmt::format("bring back what it leads to; where nothing is meant to be there, run 'rm {}'", step.link));
    if (!fd) return fail_errno("open '{}'", shown);
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0) return fail_errno("look at '{}'", shown);
    note(check_owner(status, shown));
    if (S_ISLNK(status.st_mode)) return follow(fd, step, shown);
    if (S_ISDIR(status.st_mode)) {
      if ((status.st_mode & S_ISVTX) == 0) note(check_mode(status, 0022, shown));
      here_ = std::move(fd);
      shown_ = shown;
      return Next{};
    }
    if (!steps_.empty()) return fail(Errc::invalid_data, "'{}' is no folder", shown);
    if (!S_ISREG(status.st_mode)) return fail(Errc::invalid_data, "'{}' is no plain file", shown);
    note(check_mode(status, others_ == Others::may_nothing ? 0077 : 0022, shown));
    return open_file(step.name, status, shown);
  }

  Result<Next> follow(const Fd& link, const Step& step, const std::string& shown) {
    if (++links_ > kMaxLinks)
      return fail(Errc::invalid_data, "'{}' leads through more than {} links", shown, kMaxLinks);
    TRY_LET(const std::string target, target_of(link, shown));
    put_in_front(steps_, target, step.link.empty() ? shown : step.link);
    if (target.starts_with('/')) TRY(begin_at_root());
    return Next{};
  }

  Result<Next> open_file(const std::string& name, const struct stat& checked, const std::string& shown) {
    Next next{.file =
                  Fd(::openat(here_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC))};
    if (!next.file) return fail_errno("open '{}'", shown);
    struct stat opened = {};
    if (::fstat(next.file.get(), &opened) != 0) return fail_errno("look at '{}'", shown);
    if (opened.st_dev != checked.st_dev || opened.st_ino != checked.st_ino)
      return hint(fail(Errc::mismatch, "'{}' was changed while it was read", shown), "run the command again");
    return next;
  }

  Others others_;
  std::deque<Step> steps_ = {};
  Fd here_ = {};
  std::string shown_ = {};  ///< the path of here_; "" for the root folder
  int links_ = 0;
  Result<> safe_ = {};
};

}  // namespace

Result<std::optional<Fd>> open_guarded(const std::string& path, Others others) { return Walk(others).to(path); }

}  // namespace vmcred
