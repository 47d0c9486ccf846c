// What doctor may look through: a root folder for every path, and a way to run a program.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "base/result.h"

namespace vmcred::chain::doctor {

/// Tests give a root of their own, and the output of programs as text.
struct Doors {
  std::string root = {};  ///< in front of every absolute path; empty: the machine itself
  /// Runs to the end within seconds; no output of the program is a secret.
  std::function<Result<Output>(const std::vector<std::string>& argv)> run;

  [[nodiscard]] std::string at(std::string_view path) const { return root + std::string(path); }
};

/// The machine that we are on; programs are looked for on `search_path`, speak English and use no colour.
Doors real_doors(const std::string& search_path);

/// "no such file or directory (ENOENT)": an errno in words, with the name that manuals and logs use.
std::string error_in_words(int error_number);

/// The first line of a text, without its end.
std::string_view first_line(std::string_view text);

}  // namespace vmcred::chain::doctor
