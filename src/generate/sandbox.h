// Running one generator's script where it can reach nothing but what it was given. Plaintext goes in and comes out
// through private memory, never through a file on a disk.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/process.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::generate {

class ScriptGroups;

/// How much a script may use.
struct Limits {
  std::chrono::milliseconds time = std::chrono::seconds(120);
  std::uint64_t memory_bytes = 1ULL << 30U;  ///< of all its processes together
  std::uint64_t disk_bytes = 64ULL << 20U;   ///< of each private folder: its work folder and /tmp
  std::uint64_t file_bytes = 32ULL << 20U;   ///< of each file
  unsigned processes = 128;
};

/// A file that the script finds: "in/DEPENDENCY/FILE" or "prompts/NAME".
struct InputFile {
  std::string path;
  Bytes value;  ///< borrowed for the run
};

/// What runs.
struct Job {
  std::string script;                                ///< bash, run with -euo pipefail
  std::map<std::string, std::string> commands = {};  ///< all of its PATH: command name -> program
  std::vector<std::string> read_only = {};           ///< further folders of the host that it may read
  std::vector<InputFile> inputs = {};
  std::vector<std::string> outputs = {};       ///< the files it must make in $out
  std::size_t max_output_bytes = 1024 * 1024;  ///< of each
  Limits limits = {};
  /// Where the kernel keeps the limits on memory and processes. Otherwise, and besides, the script is looked at ten
  /// times a second.
  const ScriptGroups* groups = nullptr;
};

/// It made what it had to.
struct Made {
  std::map<std::string, Secret> files;
  std::vector<std::string> undeclared = {};  ///< what else it left in $out; not read
};
/// It ended with another exit code than 0.
struct ScriptFailed {
  ExitStatus status;
};
/// It ended well, but what it left in $out cannot be taken.
struct BadOutput {
  std::string file;
  std::string reason;  ///< "was not made", "is a link", …
};
/// A limit ended it.
struct Stopped {
  std::string limit;  ///< "longer than 120 s", …
};
/// The script never ran.
struct NoSandbox {
  std::string reason;
};

struct Outcome {
  std::variant<Made, ScriptFailed, BadOutput, Stopped, NoSandbox> what;
  Secret log = {};                     ///< what it wrote to stdout and stderr, the first 64 KiB: may hold plaintext
  std::vector<Secret> leftovers = {};  ///< what stood in $out when nothing was taken: only to hide it in the log
};

/// Runs a job under bubblewrap: clean environment, no network, own /tmp, /proc and /dev, a read-only system, and
/// nothing else of the host; a system call filter and limits; killed when we die. Started as root it is another user.
Result<Outcome> run_in_sandbox(const Job& job);

/// Runs a job with all the rights of the caller: only the environment and PATH are clean. For --no-sandbox.
Result<Outcome> run_without_sandbox(const Job& job);

}  // namespace vmcred::generate
