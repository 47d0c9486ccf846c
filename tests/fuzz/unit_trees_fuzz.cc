// Trees of unit files: "PATH", a newline, its text up to the next \x1f. Every finding stands in a file that was given,
// and each line that systemd ignores says why.
// links: vmcred_chain
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/text.h"
#include "chain/check.h"
#include "chain/unit_files.h"
#include "unitfile/credential_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLargest = 64 * 1024;
  if (size > kLargest) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<vmcred::unitfile::UnitText> files;
  while (!rest.empty() && files.size() < 20) {
    std::string_view file = vmcred::take_until(rest, '\x1f');
    const std::string path(vmcred::take_until(file, '\n'));
    if (std::ranges::find(files, path, &vmcred::unitfile::UnitText::file) == files.end())
      files.push_back({path, std::string(file)});
  }
  for (const int systemd : {252, 255, 262}) {
    for (const auto& each : vmcred::chain::check_units(files, systemd)) {
      const auto file = std::ranges::find(files, each.place.file, &vmcred::unitfile::UnitText::file);
      if (file == files.end() || each.place.line < 0) std::abort();
    }
    for (const auto& unit : vmcred::chain::files_of_units(files)) {
      const auto found = vmcred::unitfile::credential_lines(unit.files, unit.name, systemd);
      for (const auto& line : found.ignored)
        if (line.why.empty() || line.line < 1) std::abort();
      for (const auto& line : found.lines)
        if (!line.why.empty()) std::abort();
    }
  }
  return 0;
}
