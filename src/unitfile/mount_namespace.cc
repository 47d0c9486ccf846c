#include "unitfile/mount_namespace.h"

#include <algorithm>
#include <map>
#include <string>

namespace vmcred::unitfile {
namespace {

enum class Takes {
  boolean,  // yes
  any,      // a list, which an empty assignment empties; or a text
  level,    // a boolean, or one of the words
  flagged,  // a list of folders of which one has the flag ":ro"
};

struct Directive {
  std::string_view key;
  int since;  // the version that knows it, or that makes a namespace for it
  Takes takes;
  std::string_view words = {};  // of a level
  bool otherwise = false;       // of a level: whether booleans count as well
};

constexpr Directive kDirectives[] = {
    {"PrivateMounts", 239, Takes::boolean},
    {"PrivateDevices", 209, Takes::boolean},
    {"PrivateIPC", 248, Takes::boolean},
    {"DynamicUser", 235, Takes::boolean},  // brings ProtectSystem=strict and PrivateTmp=
    {"ProtectKernelTunables", 232, Takes::boolean},
    {"ProtectKernelModules", 232, Takes::boolean},
    {"ProtectKernelLogs", 244, Takes::boolean},
    {"PrivateTmp", 209, Takes::level, "disconnected", true},
    {"ProtectControlGroups", 232, Takes::level, "private strict", true},
    {"ProtectSystem", 214, Takes::level, "full strict", true},
    {"ProtectHome", 214, Takes::level, "read-only tmpfs", true},
    {"ProtectProc", 247, Takes::level, "noaccess invisible ptraceable"},
    {"ProcSubset", 247, Takes::level, "pid"},
    {"MountFlags", 209, Takes::level, "slave private"},
    {"PrivatePIDs", 257, Takes::boolean},
    {"PrivateBPF", 258, Takes::boolean},
    {"BindLogSockets", 257, Takes::boolean},
    {"PrivateNetwork", 254, Takes::boolean},
    {"NetworkNamespacePath", 254, Takes::any},
    {"IPCNamespacePath", 248, Takes::any},
    {"LogNamespace", 245, Takes::any},
    {"RootImage", 233, Takes::any},
    {"RootDirectory", 209, Takes::any},
    {"ReadWritePaths", 231, Takes::any},
    {"ReadOnlyPaths", 231, Takes::any},
    {"InaccessiblePaths", 231, Takes::any},
    {"ReadWriteDirectories", 209, Takes::any},
    {"ReadOnlyDirectories", 209, Takes::any},
    {"InaccessibleDirectories", 209, Takes::any},
    {"ExecPaths", 249, Takes::any},
    {"NoExecPaths", 249, Takes::any},
    {"BindPaths", 233, Takes::any},
    {"BindReadOnlyPaths", 233, Takes::any},
    {"TemporaryFileSystem", 238, Takes::any},
    {"MountImages", 247, Takes::any},
    {"ExtensionImages", 248, Takes::any},
    {"ExtensionDirectories", 251, Takes::any},
    {"RuntimeDirectory", 257, Takes::flagged},
    {"StateDirectory", 257, Takes::flagged},
    {"CacheDirectory", 257, Takes::flagged},
    {"LogsDirectory", 257, Takes::flagged},
};

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != std::string_view::npos && !word.empty();
       at = words.find(word, at + 1)) {
    const bool begins = at == 0 || words[at - 1] == ' ';
    const bool ends = at + word.size() == words.size() || words[at + word.size()] == ' ';
    if (begins && ends) return true;
  }
  return false;
}

/// What one assignment makes of it; `before` where systemd refuses the value.
bool after(const Directive& directive, std::string_view value, bool before, int systemd) {
  switch (directive.takes) {
    case Takes::boolean:
      return boolean_of(value).value_or(value.empty() ? false : before);
    case Takes::any:
      return value.empty() ? false : true;
    case Takes::level: {
      if (value.empty()) return false;
      const auto yes = boolean_of(value);
      if (yes && directive.otherwise) return *yes;
      if ((value == "disconnected" || value == "private" ||
           (value == "strict" && directive.key == "ProtectControlGroups")) &&
          directive.key != "MountFlags" && systemd != 0 && systemd < 257)
        return before;
      if (has_word(directive.words, value)) return true;
      return value == "default" || value == "all" || value == "shared" ? false : before;
    }
    case Takes::flagged:
      return value.empty() ? false : before || value.contains(":ro");
  }
  return before;
}

}  // namespace

bool makes_mount_namespace(const std::vector<Setting>& settings, std::string_view unit, int systemd) {
  std::map<std::string_view, bool> on;
  const std::string_view own = section_of(unit);
  bool mounts_said_no = false;
  for (const Setting& setting : settings) {
    if (setting.section != own) continue;
    const auto directive = std::ranges::find(kDirectives, std::string_view(setting.key), &Directive::key);
    if (directive == std::end(kDirectives) || (systemd != 0 && systemd < directive->since)) continue;
    bool& now = on[directive->key];
    now = after(*directive, setting.value, now, systemd);
    if (directive->key == "PrivateMounts") mounts_said_no = boolean_of(setting.value) == false;
  }
  for (const auto& [key, yes] : on) {
    if (!yes) continue;
    // A network namespace brings one along only where PrivateMounts= does not say no.
    if ((key == "PrivateNetwork" || key == "NetworkNamespacePath") && mounts_said_no) continue;
    if (key == "LogNamespace" && systemd >= 257 && on.contains("BindLogSockets") && !on.at("BindLogSockets")) continue;
    return true;
  }
  return false;
}

}  // namespace vmcred::unitfile
