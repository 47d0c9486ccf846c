// `agent`: stays on the link. It fetches the values before the first consumer starts, puts new sets in place, and
// powers the guest off when it is asked to.
#include <sys/socket.h>
#include <sys/un.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "actions.h"
#include "arguments.h"
#include "commands.h"
#include "contact.h"
#include "farewell.h"
#include "options.h"
#include "reach.h"
#include "report.h"
#include "set_store.h"

namespace vmcred::guest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kForever{24 * 3600 * 1000};
constexpr milliseconds kPauseBetweenContacts{200};
/// For the last word to the host: nothing may hold a shutdown up.
constexpr milliseconds kFarewell{1000};

/// Tells systemd that units ordered after the agent may start (sd_notify(3)). False: without a socket nobody waits.
bool notify_ready() {
  const char* const name = std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (name == nullptr || std::strlen(name) >= sizeof address.sun_path) return false;
  std::strcpy(address.sun_path, name);  // NOLINT(clang-analyzer-security.insecureAPI.strcpy): the length was checked
  if (*name == '@') address.sun_path[0] = '\0';
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(name));
  constexpr std::string_view kReady = "READY=1";
  (void)::sendto(fd.get(), kReady.data(), kReady.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 size);  // NOLINT
  return true;
}

/// One contact after the other with the state that outlives them.
class Agent {
 public:
  Agent(SetStore store, ReportOptions options, milliseconds limit, EndSignal end_signal)
      : store_(std::move(store)), options_(std::move(options)), limit_(limit), end_signal_(std::move(end_signal)) {}

  /// Speaks with the host until we are told to end. An error says why the connection ended; `denied` is final.
  Result<> contact();
  [[nodiscard]] bool ready() const { return ready_; }

 private:
  Result<> handle(link::GuestSession& session, link::GuestEvent& event);
  Result<> take_set(link::GuestSession& session, const link::Received& received);
  Result<> report(link::GuestSession& session, std::uint64_t generation);
  Result<> say_farewell(const Fd& port, link::GuestSession& session);
  void become_ready() {
    if (!std::exchange(ready_, true)) (void)notify_ready();
  }

  SetStore store_;
  ReportOptions options_;
  milliseconds limit_;
  EndSignal end_signal_;
  std::uint64_t boot_generation_ = 1;  ///< what the host calls the set that PID 1 imported
  bool ready_ = false;
};

Result<> Agent::contact() {
  TRY_LET(link::Address address, read_address());
  TRY_LET(auto session_secret, store_.session());
  TRY_LET(const std::uint64_t generation, store_.current());
  TRY_LET(const link::BootId boot, boot_id());
  const Secret key = session_secret ? *std::move(session_secret) : std::move(address.token);
  const auto begin = [&] {
    return link::GuestSession({.key = key.clone(),
                               .boot_id = boot,
                               .agent = true,
                               .generation = generation,
                               .randomness = &kernel_randomness()});
  };
  TRY_LET(Reached reached, reach_host(address, begin, limit_));
  const EndSignal::Waiting waiting;  // a guest may reboot in the middle of a refresh, and the host is told even so
  TRY(handle(reached.session, reached.first));
  for (;;) {
    TRY_LET(auto event, next_event(reached.port, reached.session, kForever, false, &end_signal_.fd()));
    if (!event) return say_farewell(reached.port, reached.session);
    TRY(handle(reached.session, *event));
  }
}

/// The host learns why the link ends: some VMMs do not end with their guest, and the end of others tells nothing.
Result<> Agent::say_farewell(const Fd& port, link::GuestSession& session) {
  const auto how = departure_under_way();
  if (!how) return {};  // the agent alone is stopped
  TRY(session.leaving(*how));
  TRY(next_event(port, session, kFarewell, true));
  return {};
}

Result<> Agent::handle(link::GuestSession& session, link::GuestEvent& event) {
  if (const auto* refused = std::get_if<link::Refused>(&event))
    return fail(Errc::denied, "the host refused us: {}", refused->reason);
  if (const auto* fresh = std::get_if<link::NewSecret>(&event)) return store_.keep_session(fresh->secret);
  if (const auto* task = std::get_if<link::Welcomed>(&event)) {
    boot_generation_ = task->generation;
    if (task->set_follows) return {};
    become_ready();
    return report(session, task->generation);
  }
  if (const auto* received = std::get_if<link::Received>(&event)) return take_set(session, *received);
  if (std::holds_alternative<link::ReportWanted>(event)) {
    TRY_LET(const std::uint64_t current, store_.current());
    return report(session, current == 0 ? boot_generation_ : current);
  }
  if (std::holds_alternative<link::PowerOff>(event)) {
    const bool by_reboot = std::get<link::PowerOff>(event).how == link::Departure::reboot;
    note(by_reboot ? "vmcred-guest: the host asks to end by a reboot" : "vmcred-guest: the host asks to power off");
    // systemd(1): SIGRTMIN+4 starts poweroff.target, SIGRTMIN+5 reboot.target, without D-Bus or logind.
    if (::kill(1, SIGRTMIN + (by_reboot ? 5 : 4)) != 0) return fail_errno("ask PID 1 to shut down");
  }
  return {};
}

Result<> Agent::report(link::GuestSession& session, std::uint64_t generation) {
  options_.generation = generation;
  return session.report(make_report(session.receipt_key(), options_));
}

/// A set that cannot be put in place, or that the services do not bear, is taken back and said so; the link stays.
Result<> Agent::take_set(link::GuestSession& session, const link::Received& received) {
  TRY_LET(const std::uint64_t before, store_.current());
  auto done = store_.put(received.set);
  const bool mounted = done.has_value();
  const auto ended = [this] { return end_signal_.came(); };
  if (mounted && !received.first) done = carry_out(received.set.actions, ended);
  // A guest that shuts down judges nothing: its services and credentials go. Who takes over puts right what we leave.
  if (!done && (ended() || departure_under_way())) return {};
  if (done) {
    become_ready();
    (void)store_.forget_others();  // a leftover is read by root alone and goes with the next set
    TRY(report(session, received.set.generation));
    if (received.first) return {};
    return session.refreshed(true, received.set.generation, {});
  }
  std::string reason = done.error().message;
  note("vmcred-guest: error: " + reason);
  const std::uint64_t old = before == 0 ? boot_generation_ : before;
  if (mounted) {
    if (const auto back = store_.take_back(); !back) reason += "; " + back.error().message;
    if (const auto again = carry_out(received.set.actions, ended); !again)
      reason += "; with the old ones: " + again.error().message;
    (void)store_.forget_others();  // as above
  }
  become_ready();
  TRY(report(session, old));
  return session.refreshed(false, old, reason);
}

}  // namespace

Result<int> agent(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--output=", "--wait="};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const milliseconds limit, read_seconds(arguments.value("--wait", "60")));
  ReportOptions options;
  TRY_LET(options.outputs, read_outputs(arguments));
  // The unit starts it wherever PID 1 received nothing; in a machine without a link it has no business.
  if (const auto address = read_address(); !address && address.error().code == Errc::not_found && notify_ready())
    return 0;
  TRY_LET(SetStore store, SetStore::open());
  TRY_LET(EndSignal end_signal, EndSignal::open());
  Agent running(std::move(store), std::move(options), limit, std::move(end_signal));
  for (;;) {
    const auto ended = running.contact();
    if (ended) return 0;
    // Before the first set services wait for us, so they hear of a failure at once; afterwards the host may come back.
    if (!running.ready() || ended.error().code == Errc::denied) return std::unexpected(ended.error());
    note("vmcred-guest: " + ended.error().message + "; trying again");
    std::this_thread::sleep_for(kPauseBetweenContacts);
  }
}

}  // namespace vmcred::guest
