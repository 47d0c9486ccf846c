#include "store/named_reader.h"

#include <algorithm>

#include "store/vault.h"

namespace vmcred::store {

bool names_reader(const Repository& repository, Principals& principals, const VarId& id, const std::string& machine) {
  const std::string folder = Repository::generator_path(id.generator) + "/" + id.file;
  const Result<Acl> acl = principals.acl(folder);
  if (!acl) return true;
  if (acl->links != Links{} || !acl->bad.empty()) return reads(principals, acl->links, Kind::machine, machine);
  const std::string path = folder + "/secret";
  const Result<std::string> text = repository.read_proven(path);
  if (!text) return true;
  const auto recipients = recipients_of(*text, path);
  const auto& keys = principals.keys(Kind::machine, machine);
  if (!recipients || !keys) return true;
  return std::ranges::any_of(*keys, [&](const PublicKey& key) { return std::ranges::binary_search(*recipients, key); });
}

std::string only_user(Principals& principals) {
  const auto users = principals.names(Kind::user);
  if (!users || users->size() != 1) return {};
  const auto& keys = principals.keys(Kind::user, users->front());
  return keys && keys->size() == 1 ? users->front() : std::string();
}

}  // namespace vmcred::store
