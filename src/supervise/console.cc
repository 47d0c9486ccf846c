#include "supervise/console.h"

#include <fcntl.h>

#include <cstdio>

namespace vmcred::supervise {
namespace {

Result<Fd> start_file(const std::string& path) {
  // O_EXCL after the unlink: never through a link that somebody left there.
  (void)::unlink(path.c_str());  // none there is fine
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!file) return fail_errno("make the console log '{}'", path);
  return file;
}

}  // namespace

Result<ConsoleLog> ConsoleLog::open(const std::string& path, std::size_t limit) {
  TRY_LET(Fd file, start_file(path));
  return ConsoleLog(path, std::move(file), limit);
}

Result<> ConsoleLog::write(std::string_view bytes) {
  if (used_ != 0 && used_ + bytes.size() > limit_) {
    if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return fail_errno("rotate the console log '{}'", path_);
    TRY_LET(file_, start_file(path_));
    used_ = 0;
  }
  used_ += bytes.size();
  return in("keep the console", write_all(file_, bytes));
}

}  // namespace vmcred::supervise
