#include "supervise/vmm_process.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "link/address.h"
#include "supervise/qmp.h"
#include "supervise/reason.h"
#include "supervise/rest.h"
#include "supervise/unix_socket.h"
#include "supervise/vsock_sockets.h"
#include "vmm/blob.h"

namespace vmcred::supervise {
namespace {

/// The VMM's own API in the runtime folder; other tools get the guard.
constexpr std::string_view kApiSocket = "vmm-api.sock";

/// Copies all of `path` to `target` in the kernel and gives its size.
Result<std::size_t> copy_file(const std::string& path, const Fd& target) {
  TRY_LET(const Fd source, open_for_reading(path));
  struct stat status = {};
  if (::fstat(source.get(), &status) != 0) return fail_errno("look at '{}'", path);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kMaxInitrd) return fail(Errc::invalid_data, "'{}' is larger than {} bytes", path, kMaxInitrd);
  for (std::uint64_t done = 0; done < size;) {
    const ssize_t n = ::sendfile(target.get(), source.get(), nullptr, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("copy '{}'", path);
    if (n == 0) return fail(Errc::io, "'{}' became shorter while it was read", path);
    done += static_cast<std::uint64_t>(n);
  }
  return static_cast<std::size_t>(size);
}

Result<Fd> make_blob(const vmm::Blob& blob, const Secrets& secrets) {
  TRY_LET(Fd file, make_memfd("vmcred"));
  std::size_t base_size = 0;
  if (const auto* const initrd = std::get_if<vmm::InitrdBlob>(&blob); initrd != nullptr && !initrd->base.empty()) {
    TRY_LET(base_size, in("prepare the initrd", copy_file(initrd->base, file)));
  }
  TRY_LET(const Secret bytes, vmm::encode_blob(blob, secrets, base_size));
  TRY(in("fill a memory file", write_all(file, bytes.text())));
  return file;
}

Result<PreparedRequest> prepare(const vmm::Request& request, const Secrets& secrets) {
  TRY_LET(Secret body, vmm::encode_body(request.body, secrets));
  return PreparedRequest{request.method, request.path, std::move(body), request.fds};
}

Result<std::unique_ptr<Driver>> make_rest_driver(const vmm::Launch& launch, const Secrets& secrets,
                                                 const std::string& path, const VersionCheck& check_version) {
  RestDriver::Plan plan = {.path = path, .requests = {}, .version = launch.version, .check_version = check_version};
  // `secrets` are those of the mission, which outlive the driver.
  plan.explain = [&secrets](std::string_view body) { return reason_of(body, secrets); };
  for (const vmm::Request& request : launch.requests) {
    TRY_LET(PreparedRequest prepared, prepare(request, secrets));
    plan.requests.push_back(std::move(prepared));
  }
  if (launch.power_request) {
    TRY_LET(plan.power, prepare(*launch.power_request, secrets));
  }
  if (launch.quit_request) {
    TRY_LET(plan.quit, prepare(*launch.quit_request, secrets));
  }
  return std::make_unique<RestDriver>(std::move(plan));
}

/// ": the last line" of what was written into the pipe.
std::string last_words(const Fd& pipe) {
  std::string words(4096, '\0');
  const ssize_t n = pipe ? ::read(pipe.get(), words.data(), words.size()) : 0;
  words.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  while (words.ends_with('\n') || words.ends_with('\r')) words.pop_back();
  if (words.empty()) return {};
  return ": " + words.substr(words.rfind('\n') + 1);  // npos + 1 is 0
}

/// Starts a helper and connects to it. It makes its socket when it is ready to serve, so the connection is tried until
/// then. What it says goes into `words`, of which `heard` is the reading end.
Result<Fd> start_helper(const vmm::Helper& helper, const std::vector<std::string>& environment, const Fd& words,
                        const Fd& heard, Child& child) {
  constexpr std::chrono::seconds kLimit{10};
  constexpr std::chrono::milliseconds kPause{2};
  TRY_LET(const sockaddr_un address, unix_address(helper.socket));
  TRY(remove_tree(helper.socket));  // of the life before
  TRY_LET(child, spawn({.argv = helper.argv,
                        .environment = environment,
                        .descriptors = {{1, words.get()}, {2, words.get()}},
                        .new_session = true}));
  const auto end = std::chrono::steady_clock::now() + kLimit;
  for (;;) {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail_errno("make a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
      return socket;  // NOLINT
    if (errno != ENOENT && errno != ECONNREFUSED && errno != EINTR) return fail_errno("connect to '{}'", helper.socket);
    TRY_LET(const auto status, child.wait_for(kPause));
    if (status) return fail(Errc::unavailable, "it ended with {}{}", status->text(), last_words(heard));
    if (std::chrono::steady_clock::now() >= end) {
      return fail(Errc::unavailable, "it made no socket '{}' within {} s", helper.socket, kLimit.count());
    }
  }
}

}  // namespace

Secret link_line_for(vmm::LinkKind kind, const Secret& token) {
  const bool vsock = kind == vmm::LinkKind::vsock;
  return link::link_line({.transport = vsock ? link::Transport::vsock : link::Transport::serial,
                          .vsock_port = vsock ? kLinkPort : 0,
                          .token = token.clone()});
}

Result<> wipe_blobs(std::vector<Fd>& blobs) {
  static constexpr std::array<char, 64 * 1024> kZeros = {};
  for (const Fd& blob : blobs) {
    struct stat status = {};
    if (::fstat(blob.get(), &status) != 0) return fail_errno("wipe a memory file");
    for (off_t done = 0; done < status.st_size;) {
      const auto part = std::min<std::size_t>(kZeros.size(), static_cast<std::size_t>(status.st_size - done));
      const ssize_t n = ::pwrite(blob.get(), kZeros.data(), part, done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return fail_errno("wipe a memory file");
      done += n;
    }
    if (::ftruncate(blob.get(), 0) != 0) return fail_errno("empty a memory file");
  }
  blobs.clear();
  return {};
}

Result<> wipe_mapped(std::vector<Fd>& files) {
  for (const Fd& file : files) {
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) return fail_errno("wipe a memory file");
    if (::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, status.st_size) != 0) {
      return fail_errno("wipe a memory file");
    }
  }
  files.clear();
  return {};
}

Result<VmmProcess> start_vmm(const vmm::Launch& launch, const Secrets& secrets,
                             const std::vector<std::string>& environment, const std::string& folder,
                             const VersionCheck& check_version) {
  VmmProcess vmm;
  // A session of its own: control-c on a terminal must reach us alone, so that the guest can be stopped cleanly.
  Command command = {.argv = launch.argv, .environment = environment, .new_session = true};
  // Of a name that stands twice a program takes the first.
  command.environment->insert(command.environment->begin(), launch.environment.begin(), launch.environment.end());

  int number = launch.first_blob_fd;
  for (const vmm::Blob& blob : launch.blobs) {
    TRY_LET(Fd file, make_blob(blob, secrets));
    command.descriptors.emplace_back(number++, file.get());
    const bool mapped = launch.control == vmm::Control::qmp && std::holds_alternative<vmm::InitrdBlob>(blob);
    (mapped ? vmm.mapped : vmm.blobs).push_back(std::move(file));
  }

  TRY_LET(FdPair console, make_pipe());
  command.descriptors.emplace_back(1, console.second.get());
  TRY(set_nonblocking(console.first, true));
  vmm.console = std::move(console.first);

  Fd words_end;
  if (!launch.keeps_stdin) {
    TRY_LET(FdPair words, make_pipe());
    TRY(set_nonblocking(words.first, true));
    vmm.words = std::move(words.first);
    words_end = std::move(words.second);
    command.descriptors.emplace_back(2, words_end.get());
  }

  if (!launch.link_path.empty()) TRY(in("prepare the vm's vsock", clear_vsock_socket(launch.link_path)));
  Fd link_end;
  if (launch.link == vmm::LinkKind::serial) {
    TRY_LET(FdPair pair, make_socket_pair());
    TRY(set_nonblocking(pair.first, true));
    vmm.link = std::move(pair.first);
    link_end = std::move(pair.second);
    command.descriptors.emplace_back(launch.link_fd, link_end.get());
  } else if (launch.link == vmm::LinkKind::vsock) {
    TRY_LET(vmm.link, listen_on_vsock_port(launch.link_path, kLinkPort));
  }

  if (!launch.notify_socket.empty()) {
    TRY_LET(vmm.notices, listen_on_vsock_port(launch.link_path, credential::kNotifyPort));
  }

  std::vector<Fd> helper_ends;
  for (const vmm::Helper& helper : launch.helpers) {
    Child& child = vmm.helpers.emplace_back();
    TRY_LET(helper_ends.emplace_back(), in(fmt::format("start '{}'", helper.argv.front()),
                                           start_helper(helper, environment, words_end, vmm.words, child)));
    command.descriptors.emplace_back(helper.fd, helper_ends.back().get());
  }

  Fd events_end;
  if (launch.event_fd != 0) {
    TRY_LET(FdPair events, make_pipe());
    TRY(set_nonblocking(events.first, true));
    vmm.events = std::move(events.first);
    events_end = std::move(events.second);
    command.descriptors.emplace_back(launch.event_fd, events_end.get());
  }

  Fd control_end;
  switch (launch.control) {
    case vmm::Control::none:
      break;
    case vmm::Control::qmp: {
      TRY_LET(FdPair pair, make_socket_pair());
      vmm.driver = std::make_unique<QmpDriver>(std::move(pair.first), check_version);
      control_end = std::move(pair.second);
      command.descriptors.emplace_back(launch.control_fd, control_end.get());
      break;
    }
    case vmm::Control::rest_fd: {
      const std::string path = join_path(folder, kApiSocket);
      TRY_LET(control_end, listen_on(path));
      TRY(set_nonblocking(control_end, false));  // the VMM expects an ordinary socket
      TRY_LET(vmm.driver, make_rest_driver(launch, secrets, path, check_version));
      command.descriptors.emplace_back(launch.control_fd, control_end.get());
      break;
    }
    case vmm::Control::rest_socket: {
      TRY(remove_tree(launch.control_path));  // of the life before
      TRY_LET(vmm.driver, make_rest_driver(launch, secrets, launch.control_path, check_version));
      break;
    }
  }

  for (const int fd : launch.kept_fds) {
    if (::fcntl(fd, F_GETFD) < 0) {
      return hint(fail(Errc::usage, "the command line names the descriptor {}, which is not open", fd),
                  "open it in the process that starts vmcred");
    }
    command.descriptors.emplace_back(fd, fd);
  }
  if (launch.keeps_stdin) command.descriptors.emplace_back(0, 0);
  Fd guard_end;
  if (!launch.guards.empty()) {
    Guard::Behind behind;
    if (launch.control == vmm::Control::qmp) {
      TRY_LET(FdPair pair, make_socket_pair());
      behind.monitor = std::move(pair.first);
      guard_end = std::move(pair.second);
      command.descriptors.emplace_back(launch.guard_fd, guard_end.get());
    } else {
      behind.api = launch.control == vmm::Control::rest_fd ? join_path(folder, kApiSocket) : launch.control_path;
    }
    TRY_LET(vmm.guard, in("offer the guard", Guard::open(launch.guards, launch.guard_rules, std::move(behind))));
  }

  TRY_LET(vmm.child, in("start the VMM", spawn(command)));
  if (vmm.driver) TRY(vmm.driver->begin());
  return vmm;
}

}  // namespace vmcred::supervise
