#include "credential_sizes.h"

#include <sys/stat.h>

#include <optional>

#include "store/layout.h"
#include "store/size.h"

namespace vmcred::app {
namespace {

constexpr std::string_view kActivated = "/run/vmcred/vars/";

std::optional<std::size_t> size_of_file(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace

std::map<std::string, std::size_t> credential_sizes(const declare::Declaration& declaration, const declare::Vm& vm) {
  std::map<std::string, std::size_t> sizes;
  const auto repository = store::Repository::open(declaration.folder);
  for (const declare::Credential& credential : vm.credentials) {
    std::optional<std::size_t> size;
    if (const auto* path = std::get_if<std::string>(&credential.from)) {
      size = size_of_file(*path);
    } else if (const auto* var = std::get_if<declare::VarRef>(&credential.from)) {
      const auto id = store::resolve_for_vm(declaration, *var, vm);
      if (id && repository) size = store::stored_size(*repository, *id);
      if (id && !size) size = size_of_file(std::string(kActivated) + store::rel_path(*id));
    }
    if (size) sizes[credential.host] = *size;
  }
  return sizes;
}

}  // namespace vmcred::app
