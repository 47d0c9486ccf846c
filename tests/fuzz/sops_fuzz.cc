// Any text is a sops file of the binary kind or refused; what is one prints back to the same file. Values are opened
// under the data key that the corpus uses, so that mutated ENC texts reach the last check.
// links: vmcred_sops
#include <algorithm>
#include <array>
#include <cstdlib>

#include "deepen.h"
#include "sops/enc.h"
#include "sops/glance.h"
#include "sops/sops.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vmcred::age::IdentityPtr identity =
      *vmcred::age::parse_identity("AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE");
  const std::string_view text = vmcred::text_of({data, size});
  const auto file = vmcred::sops::parse(text);
  if (const auto seen = vmcred::sops::glance(text)) {
    if (!file || file->data != seen->data || !vmcred::sops::pgp_fingerprints(*file).empty()) std::abort();
    if (!std::ranges::equal(vmcred::sops::recipients(*file), seen->recipients)) std::abort();
  }
  if (!file) return 0;
  const auto again = vmcred::sops::parse(vmcred::sops::print(*file));
  if (!again || vmcred::sops::print(*again) != vmcred::sops::print(*file)) std::abort();
  std::array<std::uint8_t, 32> key = {};
  for (std::size_t i = 0; i < key.size(); ++i) key.at(i) = static_cast<std::uint8_t>(i);
  (void)vmcred::sops::open(key, "data:", file->data);
  (void)vmcred::sops::open(key, file->lastmodified, file->mac);
  (void)vmcred::sops::decrypt(*file, {&identity, 1});
  (void)vmcred::sops::recipients(*file);
  (void)vmcred::sops::pgp_fingerprints(*file);
  return 0;
}
