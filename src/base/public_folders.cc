#include "base/public_folders.h"

#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"

namespace vmcred {

Result<> make_public_folders(const std::string& path) {
  if (path.empty() || is_folder(path)) return {};
  TRY(make_public_folders(path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/'))));
  if (::mkdir(path.c_str(), 0755) == 0) {
    // Only what is new: between two that make it at once the second changes nothing.
    if (::chmod(path.c_str(), 0755) != 0) return fail_errno("open the folder '{}' to others", path);
    return {};
  }
  if (errno != EEXIST) return fail_errno("make folder '{}'", path);
  if (!is_folder(path)) return fail(Errc::io, "make folder '{}': a file of that name is in the way", path);
  return {};
}

}  // namespace vmcred
