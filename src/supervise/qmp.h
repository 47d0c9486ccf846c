// The QEMU Machine Protocol (QMP, docs/interop/qmp-spec) as a state machine over one inherited socket.
#pragma once

#include <deque>
#include <string>

#include "base/json.h"
#include "supervise/driver.h"

namespace vmcred::supervise {

/// One line from QEMU, sorted by what it is.
struct QmpMessage {
  enum class Kind : std::uint8_t { greeting, reply, error, event };
  Kind kind;
  std::string id = {};    ///< reply, error: of our command
  std::string name = {};  ///< event: its name; error: its description
  Json data = {};         ///< event: its data; reply: what was returned; greeting: QEMU's version
};
Result<QmpMessage> parse_qmp(std::string_view line);

/// Cuts a stream into lines.
class LineReader {
 public:
  explicit LineReader(std::size_t max_line) : max_line_(max_line) {}
  /// Takes what a read(2) gave; a line over the limit is `invalid_data`.
  Result<std::vector<std::string>> feed(std::string_view bytes);

 private:
  std::size_t max_line_;
  std::string partial_;
};

/// What QEMU may send us in one line.
inline constexpr std::size_t kMaxQmpLine = 1024 * 1024;

/// QEMU started with -S over an inherited socket: check the version that it greets with, negotiate, report
/// `channel_read` at the reply to qmp_capabilities (the greeting comes before fw_cfg files are read), `cont` on go(),
/// SHUTDOWN events as `ended`.
class QmpDriver final : public Driver {
 public:
  explicit QmpDriver(Fd socket, VersionCheck check_version = {})
      : socket_(std::move(socket)), lines_(kMaxQmpLine), check_version_(std::move(check_version)) {}
  [[nodiscard]] const Fd& fd() const override { return socket_; }
  Result<> begin() override;
  Result<std::vector<DriverEvent>> receive() override;
  Result<> go() override;
  Result<> press_power() override;
  Result<> quit() override;

 private:
  Result<> send(std::string_view command, std::string_view arguments = {});
  Result<> take(const QmpMessage& message, std::vector<DriverEvent>& events);

  Fd socket_;
  LineReader lines_;
  VersionCheck check_version_;
  bool negotiated_ = false;
};

}  // namespace vmcred::supervise
