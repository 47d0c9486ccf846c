#include "base/systemd_bus.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace vmcred {
namespace {

constexpr std::size_t kMaxMessage = 4 * 1024 * 1024;
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr const char* kProperties = "org.freedesktop.DBus.Properties";

/// Little-endian marshalling; every value is aligned to its size from the start of the message or body.
class Marshal {
 public:
  void align(std::size_t to) { bytes_.resize((bytes_.size() + to - 1) / to * to, '\0'); }
  void byte(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void u32(std::uint32_t value) {
    align(4);
    for (int i = 0; i < 4; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void text(std::string_view value) {
    u32(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value).push_back('\0');
  }
  void signature(std::string_view value) {
    byte(static_cast<std::uint8_t>(value.size()));
    bytes_.append(value).push_back('\0');
  }
  void array_of_texts(const std::vector<std::string>& values) {
    u32(0);
    const std::size_t begin = bytes_.size();
    for (const auto& value : values) text(value);
    patch_u32(begin - 4, static_cast<std::uint32_t>(bytes_.size() - begin));
  }
  /// The pairs of a(sv), each written by `write` behind its name.
  template <class Write>
  void properties(const Write& write) {
    u32(0);
    const std::size_t length = bytes_.size() - 4;
    align(8);
    const std::size_t begin = bytes_.size();
    write();
    patch_u32(length, static_cast<std::uint32_t>(bytes_.size() - begin));
  }
  /// One pair's name and the type of its value, which comes next.
  void property(std::string_view name, std::string_view type) {
    align(8);
    text(name);
    signature(type);
  }
  void patch_u32(std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<char>(value >> (8 * i));
  }
  [[nodiscard]] std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads the same; beyond the end everything is empty and ok() false.
class Unmarshal {
 public:
  explicit Unmarshal(std::string_view bytes) : bytes_(bytes) {}
  void align(std::size_t to) { at_ = std::min(bytes_.size(), (at_ + to - 1) / to * to); }
  std::uint8_t byte() {
    if (at_ >= bytes_.size()) {
      ok_ = false;
      return 0;
    }
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }
  std::uint32_t u32() {
    align(4);
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value |= std::uint32_t{byte()} << (8 * i);
    return value;
  }
  std::string text() { return take(u32()); }
  std::string signature() { return take(byte()); }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::string take(std::size_t size) {
    if (size >= bytes_.size() - at_) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    std::string value(bytes_.substr(at_, size));
    at_ += size + 1;
    return value;
  }
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::string message(std::uint32_t serial, const std::string& path, const std::string& interface,
                    const std::string& member, const std::string& signature, const std::string& body) {
  Marshal out;
  out.byte('l');
  out.byte(1);  // a method call
  out.byte(0);
  out.byte(1);  // protocol version
  out.u32(static_cast<std::uint32_t>(body.size()));
  out.u32(serial);
  out.u32(0);  // size of the header fields
  const std::size_t begin = out.bytes().size();
  const auto field = [&](std::uint8_t code, const char* type, const std::string& value) {
    out.align(8);
    out.byte(code);
    out.signature(type);
    if (*type == 'g') {
      out.signature(value);
    } else {
      out.text(value);
    }
  };
  field(1, "o", path);
  field(2, "s", interface);
  field(3, "s", member);
  field(6, "s", "org.freedesktop.systemd1");
  if (!signature.empty()) field(8, "g", signature);
  out.patch_u32(begin - 4, static_cast<std::uint32_t>(out.bytes().size() - begin));
  out.align(8);
  return out.bytes() + body;
}

}  // namespace

std::string mapped_version(std::string_view maps) {
  constexpr std::string_view kLibrary = "/libsystemd-shared-";
  const std::size_t at = maps.find(kLibrary);
  if (at == std::string_view::npos) return {};
  maps.remove_prefix(at + kLibrary.size());
  const std::string_view name = maps.substr(0, maps.find('\n'));
  const std::size_t end = name.find(".so");
  return std::string(name.substr(0, end == std::string_view::npos ? 0 : end));
}

Result<SystemdBus> SystemdBus::connect(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("make a socket");
  const timeval limit = {.tv_sec = 30, .tv_usec = 0};
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path) return fail(Errc::usage, "the path '{}' is too long for a socket", path);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT
    return fail_errno("connect to systemd at '{}'", path);
  }
  SystemdBus bus(std::move(fd));
  // EXTERNAL: the socket's credentials say who we are; the identity is the user id in hex digits.
  std::string identity;
  for (const char c : fmt::format("{}", ::getuid())) identity += fmt::format("{:02x}", static_cast<unsigned>(c));
  TRY(write_all(bus.fd_, std::string(1, '\0') + fmt::format("AUTH EXTERNAL {}\r\nBEGIN\r\n", identity)));
  std::string line;
  while (!line.ends_with("\r\n")) {
    if (line.size() > 256) return fail(Errc::invalid_data, "systemd answered nonsense");
    char byte = 0;
    TRY(bus.read_exactly({&byte, 1}));
    line += byte;
  }
  if (!line.starts_with("OK ")) return fail(Errc::denied, "systemd does not let us in");
  return bus;
}

Result<> SystemdBus::read_exactly(std::span<char> out) {
  while (!out.empty()) {
    const ssize_t n = ::read(fd_.get(), out.data(), out.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read systemd's answer");
    if (n == 0) return fail(Errc::unavailable, "systemd ended the connection");
    out = out.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

/// Gives the body of the answer.
Result<std::vector<char>> SystemdBus::call(const std::string& path, const std::string& interface,
                                           const std::string& member, const std::string& signature,
                                           const std::string& body) {
  const std::uint32_t serial = ++serial_;
  TRY(write_all(fd_, message(serial, path, interface, member, signature, body)));
  for (;;) {
    std::array<char, 16> head = {};
    TRY(read_exactly(head));
    Unmarshal in({head.data(), head.size()});
    const char order = static_cast<char>(in.byte());
    const std::uint8_t type = in.byte();
    (void)in.byte();
    (void)in.byte();
    const std::uint32_t body_size = in.u32();
    (void)in.u32();
    const std::uint32_t fields_size = in.u32();
    if (order != 'l' || body_size > kMaxMessage || fields_size > kMaxMessage) {
      return fail(Errc::invalid_data, "systemd answered nonsense");
    }
    std::string fields((fields_size + 7) / 8 * 8, '\0');
    TRY(read_exactly(fields));
    std::vector<char> answer(body_size);
    TRY(read_exactly(answer));
    // Fields begin at byte 16 of the message, so alignment within them is the same.
    Unmarshal field(std::string_view(fields).substr(0, fields_size));
    std::uint32_t reply_to = 0;
    while (field.ok() && field.at() < fields_size) {
      field.align(8);
      const std::uint8_t code = field.byte();
      const std::string kind = field.signature();
      if (kind == "u") {
        const std::uint32_t value = field.u32();
        if (code == 5) reply_to = value;
      } else if (kind == "g") {
        (void)field.signature();
      } else {
        (void)field.text();
      }
    }
    if (reply_to != serial) continue;  // a signal, or an answer to somebody else's question
    if (type == 3) {
      Unmarshal reason({answer.data(), answer.size()});
      return fail(Errc::io, "systemd refused {}: {}", member, reason.text());
    }
    return answer;
  }
}

Result<std::string> SystemdBus::version() {
  Marshal body;
  body.text(kManager);
  body.text("Version");
  TRY_LET(const std::vector<char> answer, call(kManagerPath, kProperties, "Get", "ss", body.bytes()));
  Unmarshal in({answer.data(), answer.size()});
  (void)in.signature();
  std::string version = in.text();
  if (!in.ok()) return fail(Errc::invalid_data, "systemd answered nonsense");
  return version;
}

Result<std::vector<SystemdBus::UnitLine>> SystemdBus::list(const std::vector<std::string>& units) {
  Marshal body;
  body.array_of_texts(units);
  TRY_LET(const std::vector<char> answer, call(kManagerPath, kManager, "ListUnitsByNames", "as", body.bytes()));
  Unmarshal in({answer.data(), answer.size()});
  const std::size_t size = in.u32();
  in.align(8);
  const std::size_t end = in.at() + size;
  std::vector<UnitLine> lines;
  while (in.ok() && in.at() < end) {  // a(ssssssouso)
    in.align(8);
    UnitLine& line = lines.emplace_back();
    line.name = in.text();
    (void)in.text();  // description
    (void)in.text();  // load state
    line.active_state = in.text();
    for (int i = 0; i < 3; ++i) (void)in.text();  // sub state, following, path
    const bool queued = in.u32() != 0;
    const std::string job = in.text();
    if (queued) line.job = job;
    (void)in.text();  // its path
  }
  if (!in.ok()) return fail(Errc::invalid_data, "systemd answered nonsense");
  return lines;
}

Result<std::map<std::string, std::string>> SystemdBus::active_states(const std::vector<std::string>& units) {
  TRY_LET(const std::vector<UnitLine> lines, list(units));
  std::map<std::string, std::string> states;
  for (const UnitLine& line : lines) states[line.name] = line.active_state;
  return states;
}

Result<std::vector<std::string>> SystemdBus::about_to_start(const std::vector<std::string>& units) {
  TRY_LET(const std::vector<UnitLine> lines, list(units));
  std::vector<std::string> starting;
  for (const UnitLine& line : lines) {
    if (line.job == "start") starting.push_back(line.name);
  }
  return starting;
}

Result<std::string> SystemdBus::queue_job(const std::string& method, const std::string& unit) {
  Marshal body;
  body.text(unit);
  body.text("replace");
  TRY_LET(const std::vector<char> answer, call(kManagerPath, kManager, method, "ss", body.bytes()));
  Unmarshal in({answer.data(), answer.size()});
  return in.text();
}

Result<std::string> SystemdBus::start_scope(const std::string& unit, const std::string& description, pid_t process) {
  Marshal body;
  body.text(unit);
  body.text("fail");
  body.properties([&] {
    body.property("Description", "s");
    body.text(description);
    body.property("Delegate", "b");
    body.u32(1);
    body.property("CollectMode", "s");
    body.text("inactive-or-failed");
    body.property("PIDs", "au");
    body.u32(4);
    body.u32(static_cast<std::uint32_t>(process));
  });
  body.u32(0);  // no further units
  body.align(8);
  TRY_LET(const std::vector<char> answer,
          call(kManagerPath, kManager, "StartTransientUnit", "ssa(sv)a(sa(sv))", body.bytes()));
  Unmarshal in({answer.data(), answer.size()});
  std::string job = in.text();
  if (!in.ok()) return fail(Errc::invalid_data, "systemd answered nonsense");
  return job;
}

Result<> SystemdBus::attach(const std::string& unit, const std::string& cgroup, pid_t process) {
  Marshal body;
  body.text(unit);
  body.text(cgroup);
  body.u32(4);
  body.u32(static_cast<std::uint32_t>(process));
  TRY_LET(const std::vector<char> answer, call(kManagerPath, kManager, "AttachProcessesToUnit", "ssau", body.bytes()));
  return {};
}

void SystemdBus::forget_starts(const std::string& unit) {
  Marshal body;
  body.text(unit);
  (void)call(kManagerPath, kManager, "ResetFailedUnit", "s", body.bytes());  // the start itself tells what is wrong
}

Result<> SystemdBus::kill_unit(const std::string& unit, int signal) {
  const auto tell = [&](const char* whom) -> Result<> {
    Marshal body;
    body.text(unit);
    body.text(whom);
    body.u32(static_cast<std::uint32_t>(signal));
    TRY_LET(const std::vector<char> answer, call(kManagerPath, kManager, "KillUnit", "ssi", body.bytes()));
    return {};
  };
  // Not "all" at once: what the main process starts when it gets the signal would get it too.
  const auto told = tell("main");
  return told || told.error().code != Errc::io ? told : tell("all");
}

Result<bool> SystemdBus::job_exists(const std::string& job) {
  Marshal body;
  body.text("org.freedesktop.systemd1.Job");
  body.text("State");
  const auto answer = call(job, kProperties, "Get", "ss", body.bytes());
  if (!answer && answer.error().code != Errc::io) return std::unexpected(answer.error());
  return answer.has_value();
}

}  // namespace vmcred
