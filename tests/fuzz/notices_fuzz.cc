// sd_notify(3) messages as any process of a guest may send them: nothing of them reaches a terminal but printable text.
// links: vmcred_supervise
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/foreign_text.h"
#include "supervise/notices.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::supervise;
  const Notice notice = parse_notice({reinterpret_cast<const char*>(data), size});
  for (const std::string* text :
       {&notice.status, &notice.hostname, &notice.unit_active, &notice.unit_inactive, &notice.shutdown}) {
    if (text->size() > kMaxNoticeText) std::abort();
  }
  if (notice.exit_status && (*notice.exit_status < 0 || *notice.exit_status > 255)) std::abort();
  const std::string told = notice_text(notice);
  if (told != vmcred::printable(told) || told.contains('\n') || told.contains('\t')) std::abort();
  return 0;
}
