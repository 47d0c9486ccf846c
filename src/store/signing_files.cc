#include "store/signing_files.h"

#include "base/file.h"
#include "base/guarded_file.h"
#include "base/text.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxOwnFile = 1024 * 1024;

std::string path_of_unsigned(const Environment& environment) {
  return signing_folder(environment) + "/unsigned-projects";
}

/// "" where there is no such file.
Result<std::string> read_unsigned(const Environment& environment) {
  const std::string path = path_of_unsigned(environment);
  TRY_LET(const std::optional<Fd> fd,
          in("find out which projects are not signed", open_guarded(path, Others::may_read)));
  if (!fd) return std::string();
  return read_all(*fd, path, kMaxOwnFile);
}

/// What a line names; "" of an empty line and a comment.
std::string_view path_in(std::string_view line) {
  if (line.starts_with('#')) return {};
  while (line.size() > 1 && line.ends_with('/')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string signing_folder(const Environment& environment) {
  const std::string keys = operator_key_path(environment);
  constexpr std::string_view kBelow = "/sops/age/keys.txt";
  return keys.starts_with('/') ? keys.substr(0, keys.size() - kBelow.size()) + "/vmcred" : std::string();
}

Result<std::optional<age::TrustedSigners>> read_trusted_signers(const std::string& path) {
  TRY_LET(const std::optional<Fd> fd, in("find out whose signatures count", open_guarded(path, Others::may_read)));
  if (!fd) return std::nullopt;
  TRY_LET(const std::string text, read_all(*fd, path, kMaxOwnFile));
  TRY_LET(age::TrustedSigners trusted, in(fmt::format("read '{}'", path), age::TrustedSigners::parse(text)));
  return trusted;
}

Result<std::optional<age::TrustedSigners>> own_trusted_signers(const Environment& environment) {
  const std::string folder = signing_folder(environment);
  if (folder.empty()) return std::nullopt;
  return read_trusted_signers(folder + "/trusted-signers");
}

Result<std::optional<age::SshPrivateKey>> own_signing_key(const Environment& environment) {
  const std::string path = signing_folder(environment) + "/signing-key";
  TRY_LET(const std::optional<Fd> fd, open_guarded(path, Others::may_nothing));
  if (!fd) return std::nullopt;
  TRY_LET(const Secret text, read_secret(*fd, path, kMaxOwnFile));
  TRY_LET(age::SshPrivateKey key, in(fmt::format("read '{}'", path), age::parse_ssh_private_key(text.text())));
  return key;
}

Result<std::set<std::string>> unsigned_projects(const Environment& environment) {
  TRY_LET(const std::string text, read_unsigned(environment));
  std::set<std::string> all;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = path_in(take_until(rest, '\n'));
    if (line.empty()) continue;
    if (!line.starts_with('/'))
      return hint(fail(Errc::invalid_data, "read '{}': '{}' is no absolute path", path_of_unsigned(environment), line),
                  "write one absolute path a line");
    all.emplace(line);
  }
  return all;
}

Result<bool> forget_unsigned_project(const Environment& environment, const std::string& folder) {
  TRY_LET(const std::string text, read_unsigned(environment));
  std::string kept;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = take_until(rest, '\n');
    if (path_in(line) != folder) kept += std::string(line) + "\n";
  }
  if (kept.size() >= text.size()) return false;
  TRY(write_file(path_of_unsigned(environment), kept, 0600));
  return true;
}

}  // namespace vmcred::store
