// VMMs with a REST API on a unix socket (cloud-hypervisor, Firecracker): requests out, status codes in.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/secret.h"
#include "supervise/driver.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// A request with its body built. The body may hold values.
struct PreparedRequest {
  std::string method;
  std::string path;
  Secret body = {};
  std::vector<int> fds = {};  ///< they travel with it
};

struct Answer {
  int status = 0;
  std::string body = {};
};
/// Takes an HTTP/1.1 answer (RFC 9112) apart once it is whole; nothing before. One that is no HTTP or larger than the
/// limit is `invalid_data`.
Result<std::optional<Answer>> read_answer(std::string_view bytes);
inline constexpr std::size_t kMaxAnswer = 64 * 1024;

/// Asks for the VMM's version, and only where that will do sends the launch's requests one after another, each after
/// the 2xx of the one before; after the last the channel is read and the guest runs. Of answers only what `explain`
/// makes of a refusal is quoted: an API's error may repeat what it was sent.
class RestDriver final : public Driver {
 public:
  struct Plan {
    std::string path;  ///< of the API's socket
    std::deque<PreparedRequest> requests;
    vmm::VersionQuestion version = {};
    VersionCheck check_version = {};
    std::function<std::string(std::string_view body)> explain =
        {};  ///< why it refused, fit to be shown; "" where nobody knows
    std::optional<PreparedRequest> power = {};
    std::optional<PreparedRequest> quit = {};
  };
  explicit RestDriver(Plan plan) : plan_(std::move(plan)) {}
  [[nodiscard]] const Fd& fd() const override { return socket_; }
  Result<> begin() override;
  Result<std::vector<DriverEvent>> receive() override;
  Result<> go() override { return {}; }
  Result<> press_power() override { return send_extra(plan_.power, "power key"); }
  Result<> quit() override { return send_extra(plan_.quit, "end"); }

 private:
  Result<> connect();
  Result<> send(const PreparedRequest& request);
  Result<> send_extra(const std::optional<PreparedRequest>& request, std::string_view what);
  Result<> take(const Answer& answer, std::vector<DriverEvent>& events);

  Plan plan_;
  Fd socket_;
  std::string answer_;
  std::string asked_;  ///< what the next answer is for
  bool asks_version_ = false;
  bool started_ = false;
};

}  // namespace vmcred::supervise
