#include "store/size.h"

#include "base/base64.h"
#include "sops/sops.h"

namespace vmcred::store {

std::optional<std::size_t> stored_size(const Repository& repository, const VarId& id) {
  const auto stored = repository.read_stored(id);
  if (!stored) return std::nullopt;
  if (repository.form(id) == Form::open) return stored->size();
  const auto file = sops::parse(*stored);
  if (!file) return std::nullopt;
  if (file->data.empty()) return 0;
  constexpr std::string_view kBegin = "data:";
  const std::size_t begin = file->data.find(kBegin);
  const std::size_t end = file->data.find(',', begin);
  if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
  const std::size_t at = begin + kBegin.size();
  const auto ciphertext = base64_decode(std::string_view(file->data).substr(at, end - at));
  if (!ciphertext) return std::nullopt;
  return ciphertext->size();
}

}  // namespace vmcred::store
