// libvirt domains: whatever the XML is, each finding stands in it, and its text shows on a terminal.
// links: vmcred_chain
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "chain/check.h"
#include "chain/report.h"
#include "chain/xml.h"

namespace {

using vmcred::chain::xml::Element;

std::size_t elements_in(const Element& element) {
  std::size_t count = 1;
  for (const Element& child : element.children) count += elements_in(child);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLargest = 64 * 1024;  // what is longer only takes longer
  if (size > kLargest) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto root = vmcred::chain::xml::read(text);
  if (root && elements_in(*root) > vmcred::chain::xml::kMaxElements) std::abort();
  const auto findings = vmcred::chain::check_domain(text, "none/web.xml", 257);
  if (!findings) return 0;
  if (!root) std::abort();
  const auto lines = std::ranges::count(text, '\n') + std::ranges::count(text, '\r') + 1;
  for (const auto& each : *findings)
    if (each.place.line < 0 || each.place.line > lines) std::abort();
  (void)vmcred::chain::findings_text(*findings, true);
  (void)vmcred::chain::findings_json(*findings);
  return 0;
}
