// The control socket of a running vm: one JSON line asks, one JSON line answers. Root and the vm's own uid may ask.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "base/result.h"
#include "supervise/qmp.h"
#include "supervise/status.h"

namespace vmcred::supervise {

inline constexpr std::size_t kMaxControlLine = 64 * 1024;
inline constexpr std::size_t kMaxControlClients = 16;

/// The server's half. Never blocks; the supervisor's loop polls what `descriptors` names.
class ControlServer {
 public:
  /// Listens on `path` (mode 0600); a path that is too long for a socket is `usage`.
  static Result<ControlServer> listen(const std::string& path);

  struct Request {
    std::uint64_t client;
    Json json;
    Fd passed = {};  ///< a descriptor that came with it (the last one, where several did)
  };
  /// Descriptors to poll for reading.
  [[nodiscard]] std::vector<int> descriptors() const;
  /// Accepts and reads whatever is there. Peers of another uid, lines that are no JSON and lines over the limit are cut
  /// off.
  std::vector<Request> receive();
  /// Answers with one line; the connection stays open.
  void answer(std::uint64_t client, const Json& json);

 private:
  struct Client {
    std::uint64_t id;
    Fd socket;
    LineReader lines;
    Fd passed = {};
  };
  explicit ControlServer(Fd listener) : listener_(std::move(listener)) {}
  void accept_all();
  Fd listener_;
  std::vector<Client> clients_;
  std::uint64_t next_id_ = 1;
};

/// Asks the supervisor behind `folder`/control. Nobody there: `not_found`; a socket without a listener (a supervisor
/// that was killed): `unavailable`.
class ControlClient {
 public:
  static Result<ControlClient> connect(const std::string& folder);
  /// Without waiting for the answer.
  Result<> send(const Json& request, const Fd* passed = nullptr);
  /// With `passed`, that descriptor goes along.
  Result<Json> ask(const Json& request, std::chrono::milliseconds limit, const Fd* passed = nullptr);
  /// The next line without asking; a closed connection is `unavailable`.
  Result<Json> next(std::chrono::milliseconds limit);

 private:
  explicit ControlClient(Fd socket) : socket_(std::move(socket)), lines_(kMaxQmpLine) {}
  Fd socket_;
  LineReader lines_;
  std::vector<std::string> pending_;
};

}  // namespace vmcred::supervise
