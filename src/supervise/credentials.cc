#include "supervise/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

namespace vmcred::supervise {
namespace {

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  return text;
}

/// Calls `read` for each secret credential once (two guest names may share one host name) and checks emptiness.
Result<Secrets> collect(const declare::Vm& vm, const Decrypt& read) {
  Secrets secrets;
  std::vector<std::string> missing;
  std::vector<std::string> empty;
  for (const declare::Credential& credential : vm.credentials) {
    if (credential.static_value || secrets.contains(credential.host)) continue;
    auto value = read(credential);
    if (!value && value.error().code == Errc::not_found) {
      missing.push_back(credential.host);
      continue;
    }
    if (!value) return std::unexpected(std::move(value).error());
    if (value->empty() && !credential.allow_empty) {
      empty.push_back(credential.host);
      continue;
    }
    secrets.emplace(credential.host, *std::move(value));
  }
  if (!missing.empty()) {
    return fail(Errc::not_found, "vm '{}' lacks {} {}", vm.name,
                missing.size() == 1 ? "the credential" : "the credentials", list_of(missing));
  }
  if (!empty.empty()) {
    return hint(fail(Errc::invalid_data, "vm '{}': empty {} {}", vm.name,
                     empty.size() == 1 ? "credential" : "credentials", list_of(empty)),
                "set the value again, or declare allow-empty = true");
  }
  return secrets;
}

/// Whether our user namespace has every user; in another one the owners outside of it show as the overflow uid.
bool has_all_users() {
  const auto map = read_file("/proc/self/uid_map", 4096);
  return map && map->contains(" 4294967295");
}

/// systemd makes the folder and its files for us, owned by root or by our user and written by nobody else. Whatever
/// else could change a value is not what the unit was given.
Result<> check_untouched(const Fd& fd, const std::string& what) {
  constexpr uid_t kOverflow = 65534;
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("look at {}", what);
  if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return fail(Errc::invalid_data, "{} is not a regular file", what);
  const bool owned =
      status.st_uid == 0 || status.st_uid == ::geteuid() || (status.st_uid == kOverflow && !has_all_users());
  if (owned && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return hint(owned ? fail(Errc::denied, "{} can be written by others (mode {:o})", what, status.st_mode & 07777U)
                    : fail(Errc::denied, "{} belongs to the user {}, who could change it", what, status.st_uid),
              "in a unit systemd makes it; elsewhere it must be yours, and only you may write it");
}

}  // namespace

Result<Secrets> read_credentials(const declare::Vm& vm, const std::string& folder) {
  TRY_LET(const Fd directory, in("read the unit's credentials", open_folder(folder)));
  TRY(check_untouched(directory, fmt::format("the folder '{}' of the unit's credentials", folder)));
  auto secrets = collect(vm, [&](const declare::Credential& credential) -> Result<Secret> {
    TRY_LET(const Fd file, open_beneath(directory, credential.host, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    TRY(check_untouched(file, fmt::format("the credential '{}'", credential.host)));
    return read_secret(file, credential.host, kMaxCredential);
  });
  if (!secrets && secrets.error().code == Errc::not_found && secrets.error().hint.empty()) {
    secrets.error().hint = fmt::format(
        "the unit needs a LoadCredential= line for each: run 'vmcred vm units --install', then "
        "'systemctl cat microvm@{}'",
        vm.name);
  }
  return secrets;
}

Result<Secrets> decrypt_credentials(const declare::Vm& vm, const Decrypt& decrypt) {
  auto secrets = collect(vm, decrypt);
  if (!secrets && secrets.error().code == Errc::not_found && secrets.error().hint.empty()) {
    secrets.error().hint = "run 'vmcred vars generate'";
  }
  return secrets;
}

Available available_credentials(const declare::Vm& vm, const Decrypt& decrypt) {
  Available all;
  for (const declare::Credential& credential : vm.credentials) {
    if (credential.static_value) continue;
    Result<Secret> value = decrypt(credential);
    if (value && value->empty() && !credential.allow_empty) value = fail(Errc::invalid_data, "it is empty");
    if (value) {
      all.values.emplace(credential.host, *std::move(value));
    } else {
      all.unreadable.emplace_back(credential.host, std::move(value).error());
    }
  }
  return all;
}

}  // namespace vmcred::supervise
