// Files of trusted signers are read or refused.
// links: vmcred_age
#include "age/trusted_signers.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto signers = vmcred::age::TrustedSigners::parse(vmcred::text_of({data, size}));
  if (signers) (void)signers->verify("", "vmcred", {data, size}, vmcred::SystemTime());
  return 0;
}
