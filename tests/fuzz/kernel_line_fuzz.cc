// Kernel lines: no word is longer than the line, and a credential is named exactly where a word sets one.
// links: vmcred_chain
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/secret.h"
#include "chain/kernel_line.h"
#include "declare/kernel_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = vmcred::text_of({data, size});
  const auto words = vmcred::declare::kernel_words(line);
  std::size_t letters = 0;
  for (const std::string& word : words) letters += word.size();
  if (letters > line.size()) std::abort();
  const bool sets =
      std::ranges::any_of(words, [](const std::string& word) { return vmcred::declare::sets_credential(word); });
  if (sets != vmcred::declare::credential_on_kernel_line(line).has_value()) std::abort();
  std::vector<vmcred::chain::Finding> findings;
  vmcred::chain::judge_kernel_line(line, {}, vmcred::chain::Code::secret_on_command_line, findings);
  const bool told = std::ranges::any_of(
      findings, [](const auto& each) { return each.code == vmcred::chain::Code::on_kernel_command_line; });
  if (sets != told) std::abort();
  return 0;
}
