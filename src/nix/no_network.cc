#include "nix/no_network.h"

#include <seccomp.h>

#include <array>
#include <cerrno>
#include <memory>
#include <thread>

namespace vmcred::nix {
namespace {

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

/// Unix sockets too: behind them name services ask the network. Rings can open sockets without that call.
constexpr std::array kRefused = {SCMP_SYS(socket), SCMP_SYS(io_uring_setup)};

/// Filters this thread, and what it starts, for good.
Result<> close_network() {
  constexpr const char* kWhat = "keep nix from the network";
  const std::unique_ptr<void, Release> filter(::seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return fail(Errc::unavailable, "{}: libseccomp refuses", kWhat);
  for (const int call : kRefused) {
    const int status = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), call, 0);
    if (status != 0) return system_failure(-status, kWhat);
  }
  const int status = ::seccomp_load(filter.get());
  if (status != 0) return system_failure(-status, kWhat);
  return {};
}

}  // namespace

Result<Output> run_without_network(const Command& command, const RunOptions& options) {
  // A filter cannot be taken off again, so a thread takes it on that ends with the program.
  Result<Output> output = Output{};
  std::thread filtered([&] {
    const Result<> closed = close_network();
    output = closed ? run(command, options) : Result<Output>(std::unexpected(closed.error()));
  });
  filtered.join();
  return output;
}

}  // namespace vmcred::nix
