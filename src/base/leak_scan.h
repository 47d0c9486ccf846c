// Looks for secrets where none may be: command lines, environments, open files and files of folders.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred {

/// What is looked for: each secret in every form of forms_of() (value_forms.h), whole and in every window of 16 bytes.
/// What is shorter than 16 bytes is looked for whole, from 8 bytes on.
class LeakPatterns {
 public:
  LeakPatterns();
  LeakPatterns(LeakPatterns&&) noexcept;
  LeakPatterns& operator=(LeakPatterns&&) noexcept;
  ~LeakPatterns();

  /// Adds a secret under a name that reports may show. False: it cannot be looked for (under 8 bytes, or of fewer than
  /// five different bytes), because anything would match.
  bool add(std::string_view name, const Secret& value);

  /// A place in a text where a secret stands.
  struct Match {
    std::string_view name;      ///< of the secret, borrowed from the patterns
    std::string_view encoding;  ///< as in forms_of()
    std::size_t offset = 0;
    std::size_t length = 0;  ///< bytes that agree (of the encoded text)
  };
  /// The first match in `text`, if there is one. The first search after an addition builds the index (not thread-safe).
  [[nodiscard]] bool find(Bytes text, Match* match) const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

enum class LeakKind : std::uint8_t { argv, environ, file };

/// A secret that was found. Never the value.
struct Leak {
  LeakKind kind = LeakKind::file;
  std::string place;   ///< "/proc/812/cmdline (qemu-system-x86)", "/var/log/syslog"
  std::string secret;  ///< its name
  std::string encoding;
  std::uint64_t offset = 0;
};

/// Where to look.
struct LeakPlaces {
  std::string proc = "/proc";             ///< all /proc/PID/cmdline and environ; empty: none
  bool open_files = false;                ///< and what /proc/PID/fd names, deleted files and memory files among it
  std::vector<std::string> folders = {};  ///< every regular file below (or a file itself); links are not followed
  std::vector<std::string> skip = {};     ///< absolute paths that are left out with all below them
};

struct LeakReport {
  std::size_t argv = 0;        ///< processes whose command line holds a secret
  std::size_t environ = 0;     ///< processes whose environment holds one
  std::size_t files = 0;       ///< files (open ones among them) that hold one
  std::size_t unreadable = 0;  ///< places that exist and could not be read
  std::size_t searched = 0;    ///< places that were read
  std::uint64_t bytes = 0;
  std::vector<Leak> leaks = {};                     ///< the first 100
  std::vector<std::string> unreadable_places = {};  ///< the first 100
  [[nodiscard]] bool clean() const { return argv + environ + files == 0; }
};

/// Searches all places. It finds each place at most once, never looks at memory, and so never finds itself. Processes
/// that end and files that vanish meanwhile are no error.
LeakReport scan_for_leaks(const LeakPatterns& patterns, const LeakPlaces& places);

}  // namespace vmcred
