#include "store/deployed.h"

#include "base/file.h"

namespace vmcred::store {

std::optional<std::string> deployed_machine(const Repository& repository) {
  // A project that holds any secret has a user; `deploy` sends none.
  if (exists(join_path(repository.folder(), "sops/users")) || !exists(join_path(repository.folder(), "vars")))
    return {};
  const auto machines = list_folder(join_path(repository.folder(), "sops/machines"));
  if (!machines && machines.error().code != Errc::not_found) return {};
  return machines && machines->size() == 1 ? std::optional(machines->front()) : std::optional(std::string());
}

}  // namespace vmcred::store
