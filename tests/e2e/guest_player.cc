// Plays the guest of a VMM with a hybrid vsock (cloud-hypervisor, Firecracker): holds the credentials of the OEM
// strings on its standard input as a guest's systemd would, and speaks the guest's half of the link over the unix
// socket that the VMM connects to when its guest dials the host, SOCKET_PORT. The doubles of these VMMs start it.
//   guest_player SOCKET WORD[,WORD…]   what it does is told on standard output, values as SHA-256
//   receipt        one contact that proves what arrived        agent        stays; takes sets, powers off when asked
//   change=NAME    another value of that credential            lose=NAME    without that credential
//   stranger       first a contact with a token of its own     thief        after the receipt another one with the
//   spent token poweroff, reboot  (with agent) after the receipt the guest shuts down by itself, and its agent says so
//   crashed        (with agent) after the receipt it is reset, and nobody says anything
//   silent         says hello and nothing more                 alone        (with stranger) no contact of the guest's
//   own before         an agent of before: it speaks at the host's port instead of knocking there and waiting for the
//   call flood=N        N processes of the guest crowd the host's port, all the time
// The host's call comes to SOCKET, where the VMM listens, as "CONNECT PORT"; the VMM answers "OK PORT" when the guest
// takes it (cloud-hypervisor v53, vsock/unix/muxer.rs, and Firecracker v1.16, whose code it is).
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include "base/base64.h"
#include "base/fd.h"
#include "base/randomness.h"
#include "base/sha256.h"
#include "credential/oem_string.h"
#include "link/address.h"
#include "link/guest.h"

namespace {

using namespace vmcred;

void tell(const std::string& line) { (void)!::write(1, ("guest: " + line + "\n").data(), line.size() + 8); }

[[noreturn]] void give_up(const std::string& why) {
  tell("error: " + why);
  ::_exit(1);
}

/// The guest goes on and its VMM with it, whatever became of the link.
[[noreturn]] void run_on() {
  for (;;) ::pause();
}

struct Words {
  std::map<std::string, std::string> given;
  [[nodiscard]] bool has(const std::string& word) const { return given.contains(word); }
};

Words read_words(std::string_view text) {
  Words words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    const std::size_t equals = word.find('=');
    words.given.emplace(word.substr(0, equals), equals == std::string_view::npos ? "" : word.substr(equals + 1));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return words;
}

/// As systemd imports them: name -> value.
std::map<std::string, std::string> import_strings(std::istream& lines) {
  std::map<std::string, std::string> held;
  for (std::string line; std::getline(lines, line);) {
    const auto string = credential::read_credential_string(line);
    if (!string) continue;
    if (string->form == credential::Form::text) {
      held.emplace(string->name, string->value);
      continue;
    }
    const auto value = base64_decode(string->value);
    if (!value) give_up("'" + std::string(string->name) + "' is no base64");
    held.emplace(string->name, *value);
  }
  return held;
}

class Guest {
 public:
  Guest(std::string socket, Words words) : socket_(std::move(socket)), words_(std::move(words)) {}

  void boot() {
    held_ = import_strings(std::cin);
    const auto line = held_.find(std::string(link::kLinkName));
    if (line == held_.end()) give_up("there is no link");
    auto address = link::parse_link_line(bytes_of(line->second));
    if (!address) give_up(address.error().message);
    if (address->transport != link::Transport::vsock) give_up("the link is no vsock");
    vmm_ = socket_;
    socket_ += "_" + std::to_string(address->vsock_port);
    token_ = address->token.clone();
    held_.erase(line);
    if (words_.has("change")) held_.at(words_.given.at("change")) += "x";
    if (words_.has("lose")) held_.erase(words_.given.at("lose"));
    if (words_.has("flood")) flood(std::stoi(words_.given.at("flood")));
    if (words_.has("stranger")) contact(Secret(link::kTokenSize), connect());
    if (words_.has("alone")) return;
    contact(token_, words_.has("before") ? connect() : await_call());
  }

 private:
  /// Ends when the host hangs up, refuses us, or has the receipt of somebody who does not stay.
  void contact(const Secret& key, const Fd& fd) {
    fd_ = fd.get();
    const bool stays = words_.has("agent");
    link::GuestSession session(
        {.key = key.clone(), .boot_id = {7}, .agent = stays, .randomness = &kernel_randomness()});
    std::uint8_t buffer[16 * 1024];
    for (;;) {
      while (session.has_output()) {
        const Secret out = session.take_output();
        if (::send(fd.get(), out.bytes().data(), out.size(), MSG_NOSIGNAL) < 0) break;
      }
      if (const auto event = session.take_event()) {
        if (!handle(session, *event)) return;
        continue;
      }
      const ssize_t n = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (n <= 0) return tell("the host hung up");
      if (const auto taken = session.receive({buffer, static_cast<std::size_t>(n)}); !taken)
        give_up(taken.error().message);
    }
  }

  /// Whether the contact goes on.
  bool handle(link::GuestSession& session, const link::GuestEvent& event) {
    if (const auto* refused = std::get_if<link::Refused>(&event)) {
      tell("refused: " + refused->reason);
      return false;
    }
    if (const auto* welcomed = std::get_if<link::Welcomed>(&event)) {
      tell("welcome to " + welcomed->vm);
      generation_ = welcomed->generation;
      if (!welcomed->set_follows && !words_.has("silent")) report(session);
    } else if (const auto* received = std::get_if<link::Received>(&event)) {
      generation_ = received->set.generation;
      for (const auto& [name, value] : received->set.values) held_.insert_or_assign(name, std::string(value.text()));
      report(session);
      if (!received->first) must(session.refreshed(true, generation_, ""));
    } else if (const auto* confirmed = std::get_if<link::Confirmed>(&event)) {
      tell(confirmed->complete ? "the host found everything" : "the host misses something");
      if (words_.has("poweroff")) shut_down(session, link::Departure::power_off);
      if (words_.has("reboot")) shut_down(session, link::Departure::reboot);
      if (words_.has("crashed")) ::_exit(2);
      if (words_.has("thief") && !std::exchange(stole_, true)) contact(token_, connect());
      return words_.has("agent");
    } else if (std::holds_alternative<link::ReportWanted>(event)) {
      report(session);
    } else if (std::holds_alternative<link::PowerOff>(event)) {
      const auto how = std::get<link::PowerOff>(event).how;
      tell(how == link::Departure::reboot ? "reboots, as asked to end" : "powers off");
      shut_down(session, how);
    }
    return true;
  }

  /// The agent is told to end and tells the host; then the machine goes.
  [[noreturn]] void shut_down(link::GuestSession& session, link::Departure how) {
    must(session.leaving(how));
    while (session.has_output()) {
      const Secret out = session.take_output();
      if (::send(fd_, out.bytes().data(), out.size(), MSG_NOSIGNAL) < 0) break;
    }
    ::_exit(how == link::Departure::reboot ? 2 : 0);
  }

  void report(link::GuestSession& session) {
    link::Report report = {.generation = generation_, .systemd_version = "252.39"};
    for (const auto& [name, value] : held_) {
      report.copies.push_back({.guest = name,
                               .size = value.size(),
                               .hash = link::credential_hash(session.receipt_key(), name, bytes_of(value))});
      tell("holds " + name + " " + hex_encode(sha256(bytes_of(value))));
    }
    must(session.report(report));
  }

  static void must(const Result<>& result) {
    if (!result) give_up(result.error().message);
  }

  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
    if (path.size() >= sizeof address.sun_path) give_up("the path '" + path + "' is too long");
    path.copy(address.sun_path, path.size());
    return address;
  }

  /// Knocks until the VMM is told to connect to the port that only root can take.
  [[nodiscard]] Fd await_call() const {
    const sockaddr_un address = address_of(vmm_);
    (void)::unlink(vmm_.c_str());
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), 1) != 0)  // NOLINT
      give_up("the VMM's socket cannot be made");
    for (;;) {
      (void)connect();
      pollfd wait = {.fd = listener.get(), .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, 100) <= 0) continue;
      Fd fd(::accept(listener.get(), nullptr, nullptr));
      std::string said;
      for (char byte = 0; said.size() < 32 && ::recv(fd.get(), &byte, 1, 0) == 1 && byte != '\n';) said += byte;
      if (said != "CONNECT " + std::to_string(link::kGuestPort)) give_up("the host said '" + said + "' to the VMM");
      (void)::send(fd.get(), "OK 1073741824\n", 14, MSG_NOSIGNAL);
      tell("the host called");
      return fd;
    }
  }

  /// As many processes, each with connections of its own, and none with a key.
  void flood(int processes) const {
    const sockaddr_un address = address_of(socket_);
    for (int i = 0; i < processes; ++i) {
      if (::fork() != 0) continue;
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const std::string noise(100, 'x');
      for (;;) {
        const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
          ::_exit(0);  // NOLINT
        (void)::send(fd.get(), noise.data(), noise.size(), MSG_NOSIGNAL);
      }
    }
  }

  [[nodiscard]] Fd connect() const {
    const sockaddr_un address = address_of(socket_);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT
      give_up("nobody listens at '" + socket_ + "'");
    }
    return fd;
  }

  std::string socket_;
  std::string vmm_ = {};  ///< the VMM's own socket
  Words words_;
  std::map<std::string, std::string> held_ = {};
  Secret token_ = {};
  std::uint64_t generation_ = 1;
  int fd_ = -1;
  bool stole_ = false;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) give_up("guest_player SOCKET WORDS");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  Guest(arguments[1], read_words(arguments[2])).boot();
  run_on();
}
