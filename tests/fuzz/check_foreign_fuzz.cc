// Unit files, libvirt domains and command lines that others wrote, as `vmcred check` reads them.
// links: vmcred_chain
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "chain/check.h"
#include "chain/lines.h"
#include "chain/report.h"

namespace {

/// Words as they stand one a line.
std::vector<std::string> words_of(const std::string& program, const std::string& text) {
  std::vector<std::string> words = {program};
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

void print(const std::vector<vmcred::chain::Finding>& findings) {
  (void)vmcred::chain::findings_text(findings, true);
  (void)vmcred::chain::findings_json(findings);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLargest = 64 * 1024;  // what is longer only takes longer
  if (size > kLargest) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const int systemd : {252, 260}) {
    print(vmcred::chain::check_units({{"none/app.service", text}}, systemd));
    if (const auto found = vmcred::chain::check_domain(text, "none/web.xml", systemd)) print(*found);
    for (const char* file : {"none/100.conf", "none/mkosi.conf", "none/web.nspawn"})
      if (const auto found = vmcred::chain::check_configuration(text, file, systemd)) print(*found);
    for (const char* program : {"qemu-system-x86_64", "cloud-hypervisor", "crosvm", "firecracker", "systemd-vmspawn",
                                "mkosi", "virt-install"})
      print(vmcred::chain::check_command_line(words_of(program, text), "command line", systemd));
  }
  // A caret never points outside its line.
  for (const int column : {0, 1, 7, 1000}) {
    const auto span = vmcred::chain::span_at(text, column);
    if (span.begin + span.bytes > text.size() && span.bytes > 1) std::abort();
  }
  (void)vmcred::chain::shown_line(text);
  return 0;
}
