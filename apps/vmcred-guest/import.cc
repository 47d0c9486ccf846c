// `import`: what PID 1 of systemd does with credentials, for guests with another init: fw_cfg items, SMBIOS strings and
// the kernel command line become files of mode 0400 in a ramfs that is read-only afterwards.
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "base/file.h"
#include "commands.h"
#include "credentials.h"
#include "sources.h"

namespace vmcred::guest {
namespace {

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
/// systemd's CREDENTIALS_TOTAL_SIZE_MAX.
constexpr std::size_t kMaxTotal = 1024 * 1024;

Result<> make_ramfs(const std::string& folder) {
  TRY(make_folders(folder, 0700));
  struct statfs system = {};
  if (::statfs(folder.c_str(), &system) == 0 && system.f_type == RAMFS_MAGIC) {
    return hint(fail(Errc::usage, "'{}' is a ramfs already", folder), "credentials are imported once a boot");
  }
  if (::mount("vmcred", folder.c_str(), "ramfs", kQuiet, "mode=0700") != 0)
    return fail_errno("mount a ramfs at '{}'", folder);
  return {};
}

/// False: there is one of that name already, and the first wins.
Result<bool> write_one(const std::string& folder, const Offered& offered) {
  const std::string path = join_path(folder, offered.name);
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!fd && errno == EEXIST) return false;
  if (!fd) return fail_errno("make '{}'", path);
  TRY(in(fmt::format("write '{}'", path), write_all(fd, offered.value.text())));
  return true;
}

}  // namespace

Result<int> import(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--into="};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  if (::geteuid() != 0) return hint(fail(Errc::denied, "what the machine offers is for root"), "run it as root");
  const std::string folder = arguments.value("--into", kSystemFolder);
  const Offers offers = read_offers();
  for (const std::string& notice : offers.notices) note("vmcred-guest: " + notice);
  if (offers.offered.empty()) {
    note("vmcred-guest: this machine offers no credentials");
    return 0;
  }
  TRY(make_ramfs(folder));
  std::size_t total = 0;
  std::size_t count = 0;
  bool complete = true;
  for (const Offered& offered : offers.offered) {
    if (offered.value.size() > kMaxCredential || total + offered.value.size() > kMaxTotal) {
      note(fmt::format("vmcred-guest: credential '{}' was skipped: more than {} bytes", offered.name, kMaxTotal));
      complete = false;
      continue;
    }
    TRY_LET(const bool written, write_one(folder, offered));
    if (!written) {
      note(fmt::format("vmcred-guest: credential '{}' came twice, the first one counts", offered.name));
      continue;
    }
    total += offered.value.size();
    ++count;
  }
  if (::mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr) != 0) {
    return fail_errno("make '{}' read-only", folder);
  }
  note(fmt::format("vmcred-guest: {} credentials in '{}'", count, folder));
  return complete ? 0 : 1;
}

}  // namespace vmcred::guest
