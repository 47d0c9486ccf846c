#include "nix/no_network.h"

#include <seccomp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/file.h"

namespace vmcred::nix {
namespace {

constexpr std::size_t kMaxFilter = 64UL * 1024;

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

/// Unix sockets too: behind them name services ask the network. Rings can open sockets without that call.
constexpr std::array kRefused = {SCMP_SYS(socket), SCMP_SYS(io_uring_setup)};

Result<std::string> network_filter() {
  constexpr const char* kWhat = "keep nix from the network";
  const std::unique_ptr<void, Release> filter(::seccomp_init(SCMP_ACT_ALLOW));
  if (!filter) return fail(Errc::unavailable, "{}: libseccomp refuses", kWhat);
  for (const int call : kRefused) {
    const int status = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), call, 0);
    if (status != 0) return system_failure(-status, kWhat);
  }
  TRY_LET(const Fd file, make_memfd("call-filter"));
  const int status = ::seccomp_export_bpf(filter.get(), file.get());
  if (status != 0) return system_failure(-status, kWhat);
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("{}", kWhat);
  return read_all(file, "call-filter", kMaxFilter);
}

}  // namespace

Result<Output> run_without_network(const Command& command, const RunOptions& options) {
  Command filtered = command;
  TRY_LET(filtered.call_filter, network_filter());
  return run(filtered, options);
}

}  // namespace vmcred::nix
