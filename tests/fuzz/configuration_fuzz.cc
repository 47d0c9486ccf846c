// Configurations of hypervisors: the first byte chooses the file's name, and with it the kind.
// links: vmcred_chain
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "chain/check.h"
#include "chain/configuration_text.h"
#include "chain/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLargest = 64 * 1024;
  if (size == 0 || size > kLargest) return 0;
  constexpr std::string_view kFiles[] = {"none/vm.json",    "none/100.conf",   "none/web.yaml",
                                         "none/mkosi.conf", "none/web.nspawn", "none/qemu.conf"};
  const std::string file(kFiles[data[0] % std::size(kFiles)]);
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  for (const int systemd : {252, 257}) {
    const auto findings = vmcred::chain::check_configuration(text, file, systemd);
    if (!findings) continue;
    (void)vmcred::chain::findings_text(*findings, true);
    (void)vmcred::chain::findings_json(*findings);
  }
  for (const std::string& word : vmcred::chain::shell_words(text))
    if (word.size() > text.size()) std::abort();
  for (const auto& value : vmcred::chain::read_qemu_configuration(text))
    if (value.keys.size() != 2 || value.line < 1) std::abort();
  return 0;
}
