// What clients of a guard say to a monitor, in QMP and by hand: whatever passes is on the list and is one line of JSON.
// links: vmcred_supervise
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "deepen.h"
#include "supervise/guard_words.h"

namespace {

using namespace vmcred;
using namespace vmcred::supervise;

const vmm::GuardRules kRules = {.allowed = {"query-status", "stop", "balloon"}, .hidden = {"oem_strings"}};

void expect_sound(const Spoken& spoken) {
  if (std::ranges::any_of(spoken.command + spoken.refused, [](char c) { return c < ' ' || c > '~'; })) std::abort();
  if (!spoken.refused.empty() || spoken.command.empty() || spoken.command == "qmp_capabilities") return;
  if (std::ranges::find(kRules.allowed, spoken.command) == kRules.allowed.end()) std::abort();
  if (spoken.arguments.contains('\n')) std::abort();
  if (!spoken.arguments.empty() && !parse_json(spoken.arguments)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::string rest = input;
  for (;;) {
    const auto object = take_object(rest);
    if (!object || !*object) break;
    if ((*object)->size() > kMaxGuardCommand) std::abort();
    expect_sound(judge_qmp(**object, kRules));
  }
  rest = input;
  for (;;) {
    const auto line = take_line(rest);
    if (!line || !*line) break;
    expect_sound(judge_hmp(**line, kRules));
  }
  if (auto json = parse_json(input)) {
    hide(*json, kRules.hidden);
    if (dump_json(*json).contains("\"oem_strings\":")) std::abort();
  }
  return 0;
}
