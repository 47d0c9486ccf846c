#include "base/result.h"

#include <cerrno>
#include <cstring>
#include <ostream>

namespace vmcred {

Failure system_failure(int error_number, std::string what) {
  const Errc code = error_number == ENOENT || error_number == ENOTDIR ? Errc::not_found
                    : error_number == EACCES || error_number == EPERM ? Errc::denied
                                                                      : Errc::io;
  std::string remedy;
  if (error_number == ENOSPC || error_number == EDQUOT) remedy = "make room on that file system, then run it again";
  if (error_number == EROFS) remedy = "that file system is mounted read-only: mount it writable, or work in a copy";
  return Failure(Error{code, fmt::format("{}: {}", what, std::strerror(error_number)),  // NOLINT(concurrency-mt-unsafe)
                       std::move(remedy)});
}

std::ostream& operator<<(std::ostream& out, const Error& error) {
  out << error.message;
  if (!error.hint.empty()) out << " (" << error.hint << ")";
  return out;
}

}  // namespace vmcred
