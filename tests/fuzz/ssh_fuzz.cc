// SSH keys and signatures of any shape are read or refused; a public key that is read has one line form.
// links: vmcred_age
#include <cstdlib>

#include "age/ssh.h"
#include "age/sshsig.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::age;  // NOLINT
  const std::string_view text = vmcred::text_of({data, size});
  (void)parse_ssh_recipient(text);
  if (const auto key = parse_ssh_public_key(text)) {
    const auto again = parse_ssh_public_key(key->line());
    if (!again || again->wire != key->wire) std::abort();
  }
  if (auto key = parse_ssh_private_key(text)) (void)ssh_identities(*std::move(key));
  (void)ssh_verify(text, "vmcred", vmcred::bytes_of("content\n"));
  return 0;
}
