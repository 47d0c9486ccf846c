// Secrets that processes show: on command lines, which everybody reads, and in environments.
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/foreign_text.h"
#include "chain/check.h"
#include "chain/doctor/doctor.h"
#include "shape/secret_shape.h"
#include "store/repository.h"
#include "supervise/guard_words.h"

namespace vmcred::chain::doctor {
namespace {

constexpr std::size_t kMaxWords = 4UL * 1024 * 1024;  ///< of one process
constexpr int kDeepest = 8;
constexpr int kOldestGuest = 252;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

/// Programs that translate and link: what is on their command lines are names of files, hashes of builds and macros.
bool translates(const std::vector<std::string>& words) {
  if (words.empty()) return false;
  if (words[0].contains("/pkg/tool/")) return true;  // Go's compile, link and asm
  std::string_view name = std::string_view(words[0]).substr(words[0].rfind('/') + 1);
  // "x86_64-linux-gnu-g++-12", ".clang-wrapped"
  const std::size_t version = name.find_last_not_of("0123456789.");
  if (version != std::string_view::npos && version > 0 && version + 1 < name.size() && name[version] == '-')
    name = name.substr(0, version);
  if (name.ends_with("-wrapped")) name.remove_suffix(std::string_view("-wrapped").size());
  while (name.starts_with('.')) name.remove_prefix(1);
  constexpr std::string_view kAll[] = {
      "cc",       "c++",    "cpp",         "gcc",      "g++",    "cc1",     "cc1plus",  "cc1obj", "f951",
      "gfortran", "lto1",   "lto-wrapper", "collect2", "clang",  "clang++", "clang-cl", "clangd", "clang-tidy",
      "ld",       "ld.bfd", "ld.gold",     "ld.lld",   "lld",    "mold",    "as",       "rustc",  "ghc",
      "javac",    "tsc",    "swiftc",      "nvcc",     "ccache", "sccache", "distcc"};
  return std::ranges::any_of(kAll, [&](std::string_view known) {
    return name == known || (name.ends_with(known) && name[name.size() - known.size() - 1] == '-');
  });
}

void wipe_words(std::vector<std::string>& words) {
  for (std::string& word : words) wipe({reinterpret_cast<std::uint8_t*>(word.data()), word.size()});  // NOLINT: bytes
}

struct Process {
  std::string pid;
  std::string name;  ///< "process 812 (qemu-system-x86)"
};

Finding value_in(const Process& process, LeakKind kind, const LeakPatterns::Match& match) {
  const bool argv = kind == LeakKind::argv;
  return finding(
      Code::leaked_value, {.file = process.name},
      fmt::format("its {} the value of '{}'{}", argv ? "command line shows everybody" : "environment holds", match.name,
                  match.encoding == "raw" ? std::string() : fmt::format(" in {}", match.encoding)),
      "end it, replace the value ('vmcred vars rotate'), and hand it over by a file descriptor or LoadCredential=");
}

/// True: an activated value stands in `text`.
bool look_for_values(const Process& process, LeakKind kind, const Secret& text, const LeakPatterns& patterns,
                     std::vector<Finding>& findings) {
  LeakPatterns::Match match;
  if (!patterns.find(text.bytes(), &match)) return false;
  findings.push_back(value_in(process, kind, match));
  return true;
}

void examine_environment(const Process& process, std::string_view text, std::vector<Finding>& findings) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, std::min(text.find('\0'), text.size()));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto what = shape::looks_like_secret(word.substr(equals + 1), word.substr(0, equals));
    if (!what) continue;
    findings.push_back(finding(
        Code::exposed_by_process, {.file = process.name},
        fmt::format("its variable {} looks like a secret: {}", supervise::loggable(word.substr(0, equals)), *what),
        "children inherit it, and core files hold it: hand it over by a file or LoadCredential="));
  }
}

void add_folder(const Doors& doors, const std::string& folder, const std::string& name, int depth,
                LeakPatterns& patterns, std::vector<Finding>& findings) {
  const auto names = list_folder(doors.at(folder));
  if (!names) {
    if (names.error().code == Errc::denied)
      findings.push_back(finding(Code::not_looked_at, {.file = folder},
                                 "the activated values cannot be read, so processes are judged by shapes alone",
                                 "run 'vmcred doctor' as root"));
    return;
  }
  for (const std::string& each : *names) {
    const std::string path = folder + "/" + each;
    const std::string id = name.empty() ? each : name + "/" + each;
    if (is_folder(doors.at(path))) {
      if (depth < kDeepest) add_folder(doors, path, id, depth + 1, patterns, findings);
      continue;
    }
    if (const auto value = read_secret(doors.at(path), store::kMaxValueBytes)) {
      patterns.add(id, *value);
    } else if (value.error().code == Errc::denied) {
      findings.push_back(finding(Code::not_looked_at, {.file = path},
                                 "this value cannot be read, so nobody was compared with it",
                                 "run 'vmcred doctor' as root"));
    }
  }
}

}  // namespace

std::vector<Finding> add_activated_values(const Doors& doors, LeakPatterns& patterns) {
  std::vector<Finding> findings;
  add_folder(doors, "/run/vmcred/vars", "", 0, patterns, findings);
  return findings;
}

std::vector<Finding> examine_processes(const Doors& doors, const LeakPatterns& patterns, pid_t self) {
  std::vector<Finding> findings;
  const auto entries = list_folder(doors.at("/proc"));
  if (!entries) {
    findings.push_back(finding(Code::not_looked_at, {.file = "/proc"}, entries.error().message));
    return findings;
  }
  std::size_t hidden = 0;
  for (const std::string& pid : *entries) {
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(self)) continue;
    const std::string comm = read_file(doors.at("/proc/" + pid + "/comm"), 256).value_or("?");
    const Process process = {pid, fmt::format("process {} ({})", pid, supervise::loggable(first_line(comm)))};
    if (const auto line = read_secret(doors.at("/proc/" + pid + "/cmdline"), kMaxWords);
        line && !look_for_values(process, LeakKind::argv, *line, patterns, findings)) {
      std::vector<std::string> words = split(line->text());
      const bool judged = !translates(words);
      for (Finding& each : judged ? check_command_line(words, process.name, kOldestGuest) : std::vector<Finding>()) {
        each.message = one_line(each.message);  // a process chooses the words of its own command line
        findings.push_back(std::move(each));
      }
      wipe_words(words);
    }
    const auto variables = read_secret(doors.at("/proc/" + pid + "/environ"), kMaxWords);
    if (!variables) {
      hidden += variables.error().code == Errc::denied ? 1 : 0;
    } else if (!look_for_values(process, LeakKind::environ, *variables, patterns, findings)) {
      examine_environment(process, variables->text(), findings);
    }
  }
  if (hidden > 0) {
    findings.push_back(
        finding(Code::not_looked_at, {.file = "/proc"},
                fmt::format("the {} of {} {} cannot be read", hidden == 1 ? "environment" : "environments", hidden,
                            hidden == 1 ? "process" : "processes"),
                ::geteuid() == 0 ? "" : "run 'vmcred doctor' as root"));
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
