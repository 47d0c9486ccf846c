// The guest's serial console: kept in a file of bounded size, passed on where somebody asked for it.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// `path` and `path`.1 together hold the last one to two times `limit` bytes.
class ConsoleLog {
 public:
  static Result<ConsoleLog> open(const std::string& path, std::size_t limit = 1024 * 1024);
  Result<> write(std::string_view bytes);

 private:
  ConsoleLog(std::string path, Fd file, std::size_t limit)
      : path_(std::move(path)), file_(std::move(file)), limit_(limit) {}
  std::string path_;
  Fd file_;
  std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace vmcred::supervise
