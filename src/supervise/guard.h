// The guard: sockets at which other tools reach the VMM, as far as the launch's rules let them. Clients are not
// trusted: none of them can make the supervisor wait, grow or read more than its limits.
#pragma once

#include <poll.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "base/result.h"
#include "supervise/guard_words.h"
#include "supervise/qmp.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// At most so many clients at once, over all sockets; one more takes the place of the oldest that waits for nothing.
inline constexpr std::size_t kMaxGuardClients = 16;
/// A client that does not read what it asked for is let go beyond this.
inline constexpr std::size_t kMaxGuardUnread = 1024 * 1024;
/// What the VMM may answer.
inline constexpr std::size_t kMaxGuardAnswer = 1024 * 1024;

class Guard {
 public:
  /// What is behind the doors: our end of a monitor of QEMU's, or the path of an API's socket.
  struct Behind {
    Fd monitor = {};
    std::string api = {};
  };
  /// Listens at every path (mode 0600, only for root and our uid). A path where something else than a socket stands is
  /// refused and left alone.
  static Result<Guard> open(const std::vector<vmm::Guard>& doors, const vmm::GuardRules& rules, Behind behind);
  Guard() = default;
  Guard(Guard&&) = default;
  Guard& operator=(Guard&& other) noexcept;
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  /// Removes its sockets.
  ~Guard();

  /// From now on clients are served: the channel is wiped and the guest runs. Before, they wait to be accepted.
  void let_in() { open_ = true; }
  /// Descriptors to poll, with what to wait for.
  void watch(std::vector<pollfd>& into) const;
  /// Whether the next turn() has work although no descriptor is ready.
  [[nodiscard]] bool has_more() const;
  /// Does what can be done without waiting. Gives a sentence for each request that was refused.
  std::vector<std::string> turn();
  /// Whether a client has pressed the guest's power key, or control, alt and delete.
  [[nodiscard]] bool power_pressed() const { return power_pressed_; }
  [[nodiscard]] std::size_t clients() const { return clients_.size(); }

 private:
  struct Door {
    vmm::Guard::Protocol protocol;
    std::string path;
    Fd listener;
  };
  /// A request on its way to the API and back.
  struct Call {
    Fd socket;
    std::string out;
    std::string in = {};
  };
  struct Client {
    std::uint64_t id;
    vmm::Guard::Protocol protocol;
    Fd socket;
    std::string in = {};
    std::string out = {};
    bool greeted = false;
    bool negotiated = false;  ///< QMP: qmp_capabilities was said
    bool waiting = false;     ///< for the VMM's answer; it is not read meanwhile
    bool heard_all = false;   ///< it will say no more
    bool has_more = false;    ///< it said more than one turn takes
    bool gone = false;
    std::optional<Call> call = {};
  };
  /// Whose command it was that the monitor will answer.
  struct Ticket {
    std::uint64_t client;
    std::string command;
    std::optional<Json> id;
  };

  void accept_all();
  void read_from(Client& client);
  void write_to(Client& client);
  void serve(Client& client);
  /// Takes one request of the client's; false when there is none.
  bool serve_one(Client& client);

  // The monitor (guard_monitor.cc).
  bool serve_qmp(Client& client);
  bool serve_hmp(Client& client);
  void ask_monitor(Client& client, const Spoken& spoken);
  void read_monitor();
  void write_monitor();
  void take_monitor_line(const std::string& line);
  void close_monitor();
  // The API (guard_api.cc).
  bool serve_rest(Client& client);
  void begin_call(Client& client, const HttpRequest& request);
  void go_on_with_call(Client& client);
  static void answer_http(Client& client, int code, const std::string& body);
  void answer_error(Client& client, int code, std::string_view text) const;

  std::vector<Door> doors_;
  vmm::GuardRules rules_;
  Behind behind_;
  bool open_ = false;
  bool power_pressed_ = false;
  std::vector<Client> clients_;
  std::uint64_t next_id_ = 1;
  std::vector<std::string> refusals_;
  // The monitor's half.
  LineReader monitor_lines_{kMaxQmpLine};
  std::string monitor_out_;
  std::string greeting_;
  bool negotiated_ = false;
  std::map<std::uint64_t, Ticket> tickets_;
  std::uint64_t next_ticket_ = 1;
};

}  // namespace vmcred::supervise
