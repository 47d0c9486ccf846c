// A whole age file decrypts or is refused. The identities include the one that the corpus was encrypted to. The key
// parsers get the same bytes.
// links: vmcred_age
#include <cstdlib>

#include "age/age.h"
#include "age/scrypt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::age;  // NOLINT
  static const Identities identities = {
      *parse_identity("AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE"),
      *passphrase_identity(vmcred::Secret::copy_of("x"), 2)};
  const std::string_view text = vmcred::text_of({data, size});
  (void)decrypt(identities, text);
  (void)parse_identities(text);
  (void)parse_recipient(text);
  return 0;
}
