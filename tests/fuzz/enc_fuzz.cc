// One encrypted value of a sops file, with the key and place of the seeds: opened or refused, and never two texts for
// one.
// links: vmcred_sops
#include <array>

#include "sops/enc.h"
#include "sops/lookup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::sops;  // NOLINT
  static constexpr std::array<std::uint8_t, 32> kKey = [] {
    std::array<std::uint8_t, 32> key = {};
    for (std::size_t i = 0; i < key.size(); ++i) key.at(i) = static_cast<std::uint8_t>(i);
    return key;
  }();
  const std::string_view text = vmcred::text_of({data, size});
  (void)open(kKey, "data:", text);
  (void)split_command(text);
  (void)recipients_in_comments(text);
  return 0;
}
