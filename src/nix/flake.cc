#include "nix/flake.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/file.h"
#include "nix/cache.h"
#include "nix/sources.h"

namespace vmcred::nix {
namespace {

constexpr std::size_t kMaxDepth = 32;

/// Without inputs there is nothing to lock, and nix writes no lock file.
bool pinned(const std::string& folder) {
  if (exists(folder + "/flake.lock")) return true;
  const auto text = read_file(folder + "/flake.nix", kMaxSourceFile);
  return text && text->find("inputs") == std::string::npos;
}

/// nix takes all of a git repository, wherever in it the flake lies.
bool part_of_a_repository(const std::string& folder) {
  if (exists(folder + "/.git")) return false;
  for (std::string above = folder; above.size() > 1;) {
    above.resize(std::max<std::size_t>(above.rfind('/'), 1));
    if (exists(join_path(above, ".git"))) return true;
  }
  return false;
}

bool encrypted_value(std::string_view path) {
  return (path.starts_with("vars/") || path.starts_with("sops/")) && path.ends_with("/secret");
}

/// One line for each file below `folder`; false when there are too many.
bool list_files(const std::string& folder, const std::string& relative, std::string& all, std::size_t& count,
                std::size_t depth) {
  const auto names = list_folder(join_path(folder, relative));
  if (!names) return false;
  for (const std::string& name : *names) {
    if (name == ".git") continue;
    const std::string path = relative.empty() ? name : relative + "/" + name;
    const std::string whole = join_path(folder, path);
    struct stat found = {};
    if (::lstat(whole.c_str(), &found) != 0 || ++count > kMaxFlakeFiles) return false;
    std::string state;
    if (S_ISDIR(found.st_mode)) {
      if (depth >= kMaxDepth || !list_files(folder, path, all, count, depth + 1)) return false;
      state = "folder";
    } else if (S_ISLNK(found.st_mode)) {
      std::array<char, PATH_MAX> target = {};
      const ssize_t size = ::readlink(whole.c_str(), target.data(), target.size());
      state = "link:" + std::string(target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    } else {
      state = encrypted_value(path) ? "secret" : state_of_file(whole);
    }
    all.append(path).append(1, '\0').append(state).append(1, '\n');
  }
  return true;
}

}  // namespace

std::string folder_of_flake(const std::string& reference) {
  const std::string path = reference.substr(0, reference.find('#'));
  if (!path.starts_with('.') && !path.starts_with('/')) return {};
  std::array<char, PATH_MAX> whole = {};
  return ::realpath(path.c_str(), whole.data()) == nullptr ? "" : whole.data();
}

std::optional<Digest> flake_digest(const std::string& folder) {
  if (!exists(folder + "/flake.nix") || !pinned(folder) || part_of_a_repository(folder)) return {};
  std::string all;
  std::size_t count = 0;
  if (!list_files(folder, "", all, count, 0)) return {};
  return sha256(bytes_of(all));
}

}  // namespace vmcred::nix
