// systemd's lookup of a unit's credentials, done once more without starting anything: which file, and why not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "chain/doctor/doors.h"
#include "declare/model.h"
#include "unitfile/credential_lines.h"

namespace vmcred::chain::doctor {

using unitfile::CredentialLine;
using unitfile::CredentialLines;
using unitfile::LineKind;
inline declare::Place place_of_line(const CredentialLine& line) {
  return {.file = line.file, .line = line.line, .column = 1};
}

enum class Outcome : std::uint8_t {
  found,     ///< the service gets it
  fallback,  ///< not found, but SetCredential= has a value for it
  absent,    ///< not found, and systemd starts the service without a word
  fatal,     ///< systemd refuses to start the service (243/CREDENTIALS)
  unknown,   ///< cannot be told from here
};

struct Looked {
  CredentialLine line;
  Outcome outcome = Outcome::found;
  std::string path = {};  ///< what was found, or what stopped it
  std::string why = {};   ///< for fatal and unknown: "no such file or directory (ENOENT)"
  std::string hint = {};
  std::uint64_t bytes = 0;              ///< of the value, as far as the file system tells
  std::vector<std::string> steps = {};  ///< each place that was looked at, and what was there
};

/// Most entries of a folder that LoadCredential= names; systemd's own limit is the size of all of them.
inline constexpr std::size_t kMaxFolderEntries = 10'000;

/// Every credential of a unit as this systemd would look it up (exec_credential.c; 252: execute.c). Reads no value;
/// encrypted ones are opened by `systemd-creds decrypt` into /dev/null. Connects to no socket.
std::vector<Looked> look_up(const Doors& doors, std::string_view unit, int systemd,
                            const std::vector<CredentialLine>& lines);

/// The path of a listening AF_UNIX socket stands in /proc/net/unix with the flag __SO_ACCEPTCON.
bool listens(std::string_view proc_net_unix, std::string_view path);

}  // namespace vmcred::chain::doctor
