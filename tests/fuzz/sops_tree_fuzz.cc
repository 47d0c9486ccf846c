// sops files of the json, yaml and dotenv kinds are read or refused. The same text goes to every reader, and what is
// short enough to be a plain scalar through the type rules.
// links: vmcred_sops
#include "deepen.h"
#include "sops/tree.h"
#include "sops/yaml_scalar.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::sops;  // NOLINT
  static const vmcred::age::IdentityPtr identity =
      *vmcred::age::parse_identity("AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE");
  const std::string_view text = vmcred::text_of({data, size});
  for (const Kind kind : {Kind::json, Kind::yaml, Kind::dotenv}) (void)decrypt_tree(text, kind, {&identity, 1});
  if (size < 64) (void)resolve_plain_scalar(text);
  return 0;
}
