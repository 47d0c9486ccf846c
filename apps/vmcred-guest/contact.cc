#include "contact.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/base64.h"
#include "base/file.h"

namespace vmcred::guest {
namespace {

using std::chrono::steady_clock;

/// Writes all of `out`, waiting for room.
Result<> write_out(const Fd& port, const Secret& out, steady_clock::time_point end) {
  Bytes rest = out.bytes();
  while (!rest.empty()) {
    const ssize_t written = ::write(port.get(), rest.data(), rest.size());
    if (written > 0) {
      rest = rest.subspan(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && errno != EAGAIN && errno != EINTR) return fail_errno("write to the host");
    if (steady_clock::now() >= end) return fail(Errc::unavailable, "the host does not read");
    pollfd wait = {.fd = port.get(), .events = POLLOUT, .revents = 0};
    (void)::poll(&wait, 1, 100);
  }
  return {};
}

}  // namespace

Result<link::BootId> boot_id() {
  TRY_LET(std::string text, read_file("/proc/sys/kernel/random/boot_id", 64));
  std::erase_if(text, [](char c) { return c == '-' || c == '\n'; });
  TRY_LET(const std::string bytes, hex_decode(text));
  link::BootId id = {};
  if (bytes.size() != id.size()) return fail(Errc::invalid_data, "the boot id is malformed");
  std::ranges::copy(bytes_of(bytes), id.begin());
  return id;
}

Result<std::optional<link::GuestEvent>> next_event(const Fd& port, link::GuestSession& session,
                                                   std::chrono::milliseconds limit, bool until_written,
                                                   const Fd* wake) {
  const auto end = steady_clock::now() + limit;
  Secret buffer(32 * 1024);
  for (;;) {
    if (auto event = session.take_event()) return event;
    while (session.has_output()) TRY(write_out(port, session.take_output(), end));
    if (until_written) return std::nullopt;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()).count();
    if (left <= 0) return fail(Errc::unavailable, "the host did not answer in time");
    pollfd wait[] = {{.fd = port.get(), .events = POLLIN, .revents = 0},
                     {.fd = wake == nullptr ? -1 : wake->get(), .events = POLLIN, .revents = 0}};
    (void)::poll(wait, 2, static_cast<int>(left));
    if ((wait[1].revents & POLLIN) != 0) return std::nullopt;
    const ssize_t got = ::read(port.get(), buffer.writable().data(), buffer.size());
    if (got > 0) {
      TRY(session.receive(buffer.bytes().first(static_cast<std::size_t>(got))));
    } else if (got == 0) {
      return fail(Errc::unavailable, "the host closed the link");
    } else if (errno != EAGAIN && errno != EINTR) {
      return fail_errno("read from the host");
    }
  }
}

}  // namespace vmcred::guest
