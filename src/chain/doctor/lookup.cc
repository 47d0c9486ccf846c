#include "chain/doctor/lookup.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/file.h"
#include "credential/limits.h"
#include "declare/names.h"

namespace vmcred::chain::doctor {
namespace {

constexpr std::uint64_t kMaxEncrypted = credential::kMaxCredential + 128UL * 1024;
constexpr int kFirstWithOneSearchPath = 254;  ///< encrypted folders first, for every setting
constexpr int kFirstWithSocketsInFolders = 262;
constexpr std::size_t kMaxProcNetUnix = 64UL * 1024 * 1024;
constexpr int kDeepestFolder = 32;

/// The credstore folders in their order, plain or encrypted, after what PID 1 itself was given.
std::vector<std::string> search_path(LineKind kind, int systemd) {
  const std::vector<std::string> roots = {"/etc/", "/run/", "/usr/local/lib/", "/usr/lib/"};
  std::vector<std::string> plain = {"/run/credentials/@system"};
  std::vector<std::string> encrypted = {"/run/credentials/@encrypted"};
  for (const std::string& root : roots) plain.push_back(root + "credstore");
  for (const std::string& root : roots) encrypted.push_back(root + "credstore.encrypted");
  if (kind == LineKind::import) {
    plain.insert(plain.end(), encrypted.begin(), encrypted.end());
    return plain;
  }
  if (kind == LineKind::load && systemd < kFirstWithOneSearchPath) return plain;
  encrypted.insert(encrypted.end(), plain.begin(), plain.end());
  return encrypted;
}

class Search {
 public:
  Search(const Doors& doors, std::string_view unit, int systemd, const std::vector<CredentialLine>& lines)
      : doors_(doors), unit_(unit), systemd_(systemd), lines_(lines) {}

  [[nodiscard]] Looked look(const CredentialLine& line) {
    Looked looked = {.line = line};
    if (line.kind == LineKind::set || line.kind == LineKind::set_encrypted) {
      looked.bytes = line.bytes;
    } else if (line.source.contains('%')) {
      stop(looked, Outcome::unknown, line.source, "it holds a specifier that systemd alone knows");
    } else if (line.kind == LineKind::import) {
      import(looked);
    } else if (line.source.starts_with('/')) {
      absolute(looked);
    } else {
      relative(looked);
    }
    return looked;
  }

 private:
  static void stop(Looked& looked, Outcome outcome, const std::string& path, std::string why, std::string hint = {}) {
    looked.outcome = outcome;
    looked.path = path;
    looked.why = std::move(why);
    looked.hint = std::move(hint);
  }

  [[nodiscard]] bool has_fallback(const std::string& id) const {
    return std::ranges::any_of(lines_, [&](const CredentialLine& other) {
      return other.id == id && (other.kind == LineKind::set || other.kind == LineKind::set_encrypted);
    });
  }

  void absolute(Looked& looked) {
    const std::string path = looked.line.source;
    struct stat status = {};
    if (::stat(doors_.at(path).c_str(), &status) == 0) return take(looked, path, status);
    const int error = errno;
    looked.steps.push_back(fmt::format("'{}': {}", path, error_in_words(error)));
    if (const std::string first = first_missing(path); error == ENOENT && first != path) looked.steps.push_back(first);
    if (error == ENOENT && has_fallback(looked.line.id)) {  // the only error for which SetCredential= steps in
      looked.outcome = Outcome::fallback;
      return;
    }
    const bool hidden = error == EACCES && ::geteuid() != 0;  // systemd reads as root
    stop(looked, hidden ? Outcome::unknown : Outcome::fatal, path, error_in_words(error),
         hidden ? "run 'vmcred doctor' as root" : remedy(path));
  }

  void relative(Looked& looked) {
    for (const std::string& folder : search_path(looked.line.kind, systemd_)) {
      const std::string path = folder + "/" + looked.line.source;
      struct stat status = {};
      if (::stat(doors_.at(path).c_str(), &status) == 0) return take(looked, path, status);
      const int error = errno;
      looked.steps.push_back(fmt::format("'{}': {}", path, error_in_words(error)));
      if (error != ENOENT) {
        const bool hidden = error == EACCES && ::geteuid() != 0;
        return stop(looked, hidden ? Outcome::unknown : Outcome::fatal, path, error_in_words(error),
                    hidden ? "run 'vmcred doctor' as root" : "");
      }
    }
    looked.outcome = has_fallback(looked.line.id) ? Outcome::fallback : Outcome::absent;
  }

  void import(Looked& looked) {
    const std::string& pattern = looked.line.source;
    const bool open_end = pattern.ends_with('*');
    const std::string_view start = std::string_view(pattern).substr(0, pattern.size() - (open_end ? 1 : 0));
    for (const std::string& folder : search_path(LineKind::import, systemd_)) {
      const auto names = list_folder(doors_.at(folder));
      if (!names) continue;
      for (const std::string& name : *names) {
        if (open_end ? !name.starts_with(start) : name != pattern) continue;
        struct stat status = {};
        if (::stat(doors_.at(folder + "/" + name).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        looked.bytes += static_cast<std::uint64_t>(status.st_size) + name.size();
        looked.path = folder + "/" + name;
      }
    }
    if (looked.path.empty()) looked.outcome = Outcome::absent;
  }

  void take(Looked& looked, const std::string& path, const struct stat& status) {
    looked.path = path;
    if (S_ISSOCK(status.st_mode)) return socket(looked, path);
    if (S_ISDIR(status.st_mode)) {
      if (looked.line.kind == LineKind::load_encrypted || !looked.line.source.starts_with('/')) {
        return stop(looked, Outcome::fatal, path, error_in_words(EISDIR), "name a file");
      }
      return folder(looked, path, looked.line.id, 0);
    }
    looked.bytes = static_cast<std::uint64_t>(status.st_size);
    const std::uint64_t most =
        looked.line.kind == LineKind::load_encrypted ? kMaxEncrypted : credential::kMaxCredential;
    if (looked.bytes > most) {
      return stop(looked, Outcome::fatal, path,
                  fmt::format("it is {} bytes, systemd takes {} ({})", looked.bytes, most, error_in_words(E2BIG)),
                  "a credential holds at most 1 MiB");
    }
    looked.steps.push_back(fmt::format("'{}': {} bytes", path, looked.bytes));
    if (looked.line.kind == LineKind::load_encrypted) decrypt(looked, path);
  }

  // read_full_file_full(): the client's address holds 64 bits in hex, the unit and the credential.
  void socket(Looked& looked, const std::string& path) {
    const std::size_t names = unit_.size() + looked.line.id.size();
    if (names > credential::kMaxUnitAndId) {
      return stop(
          looked, Outcome::fatal, path,
          fmt::format("it is a socket, and the names of unit and credential are {} bytes together, {} at most ({})",
                      names, credential::kMaxUnitAndId, error_in_words(EINVAL)),
          "choose a shorter name for the vm or the credential");
    }
    const auto sockets = read_file(doors_.at("/proc/net/unix"), kMaxProcNetUnix);
    if (sockets && !listens(*sockets, path)) {
      return stop(looked, Outcome::fatal, path,
                  fmt::format("nobody listens on this socket ({})", error_in_words(ECONNREFUSED)),
                  "start the service that serves it, or remove the socket that it left behind");
    }
    looked.steps.push_back(fmt::format("'{}': a socket that somebody listens on", path));
  }

  void folder(Looked& looked, const std::string& path, const std::string& id, int depth) {
    const auto names = list_folder(doors_.at(path));
    if (!names) return stop(looked, Outcome::fatal, path, names.error().message);
    if (depth > kDeepestFolder || names->size() > kMaxFolderEntries)
      return stop(looked, Outcome::unknown, path, "the folder holds too much to look at");
    for (const std::string& name : *names) {
      const std::string inside = path + "/" + name;
      const std::string inner_id = id + "_" + name;
      struct stat status = {};
      if (::lstat(doors_.at(inside).c_str(), &status) != 0 || S_ISLNK(status.st_mode)) continue;  // links are skipped
      if (S_ISDIR(status.st_mode)) {
        folder(looked, inside, inner_id, depth + 1);
        if (looked.outcome != Outcome::found) return;
        continue;
      }
      if (!declare::valid_credential_name(inner_id)) {
        return stop(looked, Outcome::fatal, inside,
                    fmt::format("'{}' is no name of a credential ({})", inner_id, error_in_words(EINVAL)),
                    "rename the file");
      }
      if (S_ISSOCK(status.st_mode) && systemd_ < kFirstWithSocketsInFolders) {
        return stop(looked, Outcome::fatal, inside,
                    fmt::format("systemd {} opens no socket in a folder ({})", systemd_, error_in_words(ENXIO)),
                    "name the socket itself");
      }
      looked.bytes += static_cast<std::uint64_t>(status.st_size);
    }
    if (depth == 0) looked.steps.push_back(fmt::format("'{}': a folder with {} bytes", path, looked.bytes));
  }

  void decrypt(Looked& looked, const std::string& path) {
    if (::geteuid() != 0 && doors_.root.empty())
      return stop(looked, Outcome::unknown, path, "only root can decrypt it", "run 'vmcred doctor' as root");
    const auto output =
        doors_.run({"systemd-creds", "decrypt", "--name=" + looked.line.id, doors_.at(path), "/dev/null"});
    if (!output) return stop(looked, Outcome::unknown, path, output.error().message);
    if (output->status.ok()) return looked.steps.push_back(fmt::format("'{}': can be decrypted", path));
    std::string said(first_line(output->err));
    stop(looked, Outcome::fatal, path,
         fmt::format("it cannot be decrypted: {}", said.empty() ? output->status.text() : said),
         fmt::format("encrypt it again on this machine: systemd-creds encrypt --name={} - {}", looked.line.id, path));
  }

  /// "'/run/vmcred/vars' is a link to '/run/vmcred.d/3', which is not there": the first part of a path that is missing.
  [[nodiscard]] std::string first_missing(const std::string& path) const {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      struct stat status = {};
      if (::stat(doors_.at(part).c_str(), &status) != 0) {
        std::string target(4096, '\0');
        const ssize_t n = ::readlink(doors_.at(part).c_str(), target.data(), target.size());
        if (n > 0)
          return fmt::format("'{}' is a link to '{}', which is not there", part,
                             target.substr(0, static_cast<std::size_t>(n)));
        return part == path ? path : fmt::format("there is no '{}'", part);
      }
      if (end == std::string::npos) return path;
    }
  }

  [[nodiscard]] std::string remedy(const std::string& path) const {
    if (!path.starts_with("/run/vmcred/vars/")) return "put the file there, or name another one";
    if (!exists(doors_.at("/run/vmcred/vars")))
      return "nothing is activated: run 'systemctl start vmcred-activate' ('vmcred activate')";
    return "'vmcred check' says why; 'vmcred vars generate' makes missing values, 'vmcred activate' decrypts them";
  }

  const Doors& doors_;
  std::string unit_;
  int systemd_;
  const std::vector<CredentialLine>& lines_;
};

}  // namespace

std::vector<Looked> look_up(const Doors& doors, std::string_view unit, int systemd,
                            const std::vector<CredentialLine>& lines) {
  std::vector<Looked> all;
  Search search(doors, unit, systemd, lines);
  for (const CredentialLine& line : lines) all.push_back(search.look(line));
  return all;
}

bool listens(std::string_view proc_net_unix, std::string_view path) {
  // Num RefCount Protocol Flags Type St Inode Path
  constexpr std::string_view kListening = " 00010000 ";
  while (!proc_net_unix.empty()) {
    const std::string_view line = first_line(proc_net_unix);
    proc_net_unix.remove_prefix(std::min(line.size() + 1, proc_net_unix.size()));
    if (line.ends_with(path) && line.size() > path.size() && line[line.size() - path.size() - 1] == ' ' &&
        line.contains(kListening))
      return true;
  }
  return false;
}

}  // namespace vmcred::chain::doctor
