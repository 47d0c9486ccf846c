// HTTP as clients of a guard and APIs of VMMs send it: a message is the same in whatever pieces it comes.
// links: vmcred_supervise
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "supervise/http.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::supervise;
  constexpr std::size_t kMaxBody = 1000;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  auto message = read_http(input, kMaxBody);
  if (!message || !*message) return 0;
  if ((*message)->size > size || (*message)->body.size() > kMaxBody) std::abort();
  if ((*message)->start.size() > kMaxHttpHead) std::abort();
  const auto early = read_http(input.substr(0, (*message)->size - 1), kMaxBody);
  if (early && *early) std::abort();
  (void)status_of(**message);
  if (const auto request = request_of(**std::move(message))) {
    if (!request->target.starts_with('/') || request->target.contains("..") || request->method.empty()) std::abort();
  }
  return 0;
}
