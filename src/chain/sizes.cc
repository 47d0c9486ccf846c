#include "chain/sizes.h"

#include <sys/stat.h>

#include "base/file.h"
#include "store/size.h"

namespace vmcred::chain {

std::optional<std::size_t> size_of_file(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::size_t>(status.st_size);
}

std::optional<std::size_t> Sizes::of(const store::VarId& id) {
  const auto [place, fresh] = known_.try_emplace(id);
  if (!fresh) return place->second;
  if (repository_ != nullptr) place->second = store::stored_size(*repository_, id);
  if (!place->second && !activated_.empty()) place->second = size_of_file(join_path(activated_, store::rel_path(id)));
  return place->second;
}

std::map<std::string, std::size_t> Sizes::of(const declare::Declaration& declaration, const declare::Vm& vm) {
  std::map<std::string, std::size_t> sizes;
  for (const declare::Credential& credential : vm.credentials) {
    std::optional<std::size_t> size;
    if (const auto* path = std::get_if<std::string>(&credential.from); path != nullptr) size = size_of_file(*path);
    if (const auto* ref = std::get_if<declare::VarRef>(&credential.from)) {
      const auto id = store::resolve_for_vm(declaration, *ref, vm);
      if (id) size = of(*id);
    }
    if (size) sizes[credential.host] = *size;
  }
  return sizes;
}

}  // namespace vmcred::chain
