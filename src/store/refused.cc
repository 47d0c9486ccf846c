#include "store/refused.h"

#include "base/spelling.h"
#include "store/keys.h"

namespace vmcred::store {
namespace {

/// "vars/per-machine/web/g/f" -> "web:g/f", as it is typed.
std::string typed(std::string_view folder) {
  const auto behind = [&](std::string_view start) {
    return folder.starts_with(start) ? folder.substr(start.size()) : std::string_view();
  };
  if (const std::string_view shared = behind("vars/shared/"); !shared.empty()) return std::string(shared);
  for (const std::string_view start : {"vars/per-machine/", "vars/per-vm/", "vars/per-export/"}) {
    const std::string_view owned = behind(start);
    if (const std::size_t slash = owned.find('/'); slash != std::string_view::npos)
      return fmt::format("{}:{}", owned.substr(0, slash), owned.substr(slash + 1));
  }
  return std::string(folder.substr(folder.rfind('/') + 1));
}

/// "user alice, group admins, machine web"
std::string named(const Links& links) {
  std::string text;
  for (const Kind kind : {Kind::user, Kind::group, Kind::machine})
    for (const std::string& name : links.of(kind))
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", singular(kind), name);
  return text;
}

}  // namespace

Failure no_such(const Principals& principals, Kind kind, const std::string& name) {
  return hint(fail(Errc::not_found, "there is no {} '{}'", singular(kind), name),
              near_or_known(name, principals.names(kind).value_or(std::vector<std::string>())));
}

const std::vector<Error>& problems_of(const KeyRing& keys) { return keys.keys().problems; }

Error refused(const Repository& repository, const std::string& folder, const KeyRing& keys, Error error) {
  if (error.code != Errc::denied) return error;
  if (keys.keys().of_host) {
    error.hint = fmt::format(
        "the key in {} is none of its readers: 'vmcred deploy MACHINE' sends this machine's, or where the project lies "
        "here "
        "'vmcred vars upload MACHINE --directory DIR'",
        keys.sources().empty() ? "this host's key file" : keys.sources().front());
    return error;
  }
  Principals principals(repository);
  const Result<Acl> acl = principals.acl(folder);
  const std::string readers = acl ? named(acl->links) : std::string();
  if (!keys.empty() && !readers.empty()) {
    const Result<std::string> user = principals.user_of(keys);
    if (user && reads(principals, acl->links, Kind::user, *user)) {
      error.hint = fmt::format(
          "its links name user {}, and it is not encrypted to this key: another of {} looks at it with 'vmcred vars "
          "fix --dry-run'",
          *user, readers);
      return error;
    }
    error.hint = fmt::format("{} can read it; whoever of them lets you runs 'vmcred secrets users add-secret {} {}'{}",
                             readers, user ? *user : "YOU", typed(folder),
                             user ? "" : " once 'vmcred vars keygen' has added you as a user");
  }
  // The cause comes first: a key that is there and broken looks like none.
  std::string unusable;
  for (const Error& problem : problems_of(keys))
    unusable += fmt::format("a key could not be used: {}{}; ", problem.message,
                            problem.hint.empty() ? "" : fmt::format(" ({})", problem.hint));
  if (!unusable.empty())
    error.hint = unusable + (keys.empty() ? "mend it, or name another key's file in SOPS_AGE_KEY_FILE" : error.hint);
  return error;
}

}  // namespace vmcred::store
