#include "farewell.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>

#include "base/systemd_bus.h"

namespace vmcred::guest {
namespace {

using link::Departure;

/// systemd.special(7): each of them starts its own service, which is the last thing that PID 1 does.
constexpr std::array kTargets = {std::pair(Departure::reboot, "reboot.target"),
                                 std::pair(Departure::halt, "halt.target"), std::pair(Departure::kexec, "kexec.target"),
                                 std::pair(Departure::power_off, "poweroff.target")};

sigset_t only_sigterm() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

Result<EndSignal> EndSignal::open() {
  const sigset_t set = only_sigterm();
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("wait for SIGTERM");
  return EndSignal(std::move(fd));
}

bool EndSignal::came() const {
  pollfd wait = {.fd = fd_.get(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 1;
}

EndSignal::Waiting::Waiting() {
  const sigset_t set = only_sigterm();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);  // NOLINT(concurrency-mt-unsafe): the agent has one thread
}

EndSignal::Waiting::~Waiting() {
  const sigset_t set = only_sigterm();
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);  // NOLINT(concurrency-mt-unsafe): as above
}

std::optional<Departure> departure_under_way() {
  auto bus = SystemdBus::connect();
  if (!bus) return std::nullopt;
  std::vector<std::string> targets;
  for (const auto& [how, target] : kTargets) targets.emplace_back(target);
  const auto starting = bus->about_to_start(targets);
  if (!starting) return std::nullopt;
  for (const auto& [how, target] : kTargets) {
    if (std::ranges::find(*starting, target) != starting->end()) return how;
  }
  return std::nullopt;
}

}  // namespace vmcred::guest
