#include "activate/users.h"

#include <charconv>

#include "base/file.h"
#include "base/process.h"

namespace vmcred::activate {
namespace {

constexpr std::size_t kMaxDatabase = 16 * 1024 * 1024;

std::int64_t number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // The largest number means "leave as it is" to chown(2).
  if (error != std::errc() || end != text.data() + text.size() || number == UINT32_MAX) return -1;
  return number;
}

Result<std::uint32_t> find(const std::string& name, const std::string& file, const std::string& database,
                           std::string_view kind, const UserDoors& doors) {
  if (const std::int64_t number = number_of(name); number >= 0) return static_cast<std::uint32_t>(number);
  if (name == "root") return 0U;
  TRY_LET(const std::string text, read_file(file, kMaxDatabase));
  if (const std::int64_t number = number_in_database(text, name); number >= 0)
    return static_cast<std::uint32_t>(number);
  if (!doors.getent.empty()) {
    // Names from elsewhere (systemd-userdb, LDAP): getent is linked with NSS, we may not be.
    const auto output = vmcred::run({.argv = {doors.getent, "--", database, name}});
    if (output && output->status.ok()) {
      if (const std::int64_t number = number_in_database(output->out, name); number >= 0) {
        return static_cast<std::uint32_t>(number);
      }
    }
  }
  return fail(Errc::not_found, "no {} '{}' on this machine", kind, name);
}

}  // namespace

std::int64_t number_in_database(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    line.remove_prefix(name.size() + 1);
    const std::size_t second = line.find(':');
    if (second == std::string_view::npos) continue;
    line.remove_prefix(second + 1);
    return number_of(line.substr(0, line.find(':')));
  }
  return -1;
}

Result<uid_t> find_user(const std::string& name, const UserDoors& doors) {
  return find(name, doors.passwd, "passwd", "user", doors);
}

Result<gid_t> find_group(const std::string& name, const UserDoors& doors) {
  return find(name, doors.group, "group", "group", doors);
}

}  // namespace vmcred::activate
