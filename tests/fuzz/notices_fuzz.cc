// sd_notify(3) messages as any process of a guest may send them: nothing of them reaches a terminal but printable text.
// links: vmcred_supervise
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "supervise/notices.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::supervise;
  const Notice notice = parse_notice({reinterpret_cast<const char*>(data), size});
  for (const std::string* text : {&notice.status, &notice.hostname, &notice.unit_active, &notice.unit_inactive, &notice.shutdown}) {
    if (text->size() > kMaxNoticeText) std::abort();
  }
  if (notice.exit_status && (*notice.exit_status < 0 || *notice.exit_status > 255)) std::abort();
  if (!std::ranges::all_of(notice_text(notice), [](char c) { return c >= 0x20 && c < 0x7f; })) std::abort();
  return 0;
}
