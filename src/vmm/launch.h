// How to start one VMM, as plain data: nothing runs, no file is open, no plaintext is in here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "credential/plan.h"
#include "declare/model.h"

namespace vmcred::vmm {

/// The bytes of one memory file, made by the supervisor under the final uid with mode 0600 (see vmm/blob.h).
struct StructureBlob {
  credential::Structure structure;
};
struct ValueBlob {
  credential::FwCfgItem item;
};
struct InitrdBlob {
  std::string base;  ///< the user's initrd, whose bytes come first; empty: none
  std::vector<credential::OemEntry> entries;
};
/// Nothing secret: a configuration file of the VMM's.
struct TextBlob {
  std::string text;
};
using Blob = std::variant<StructureBlob, ValueBlob, InitrdBlob, TextBlob>;

/// A word of the guest's kernel line.
struct KernelWord {
  credential::OemEntry entry;
};

/// A piece of a REST body: text as it is, or a credential's OEM string or kernel word (JSON-escaped, without quotes).
using BodyPiece = std::variant<std::string, credential::OemEntry, KernelWord>;

/// One request to the VMM's API, to be answered by 2xx before the next is sent.
struct Request {
  std::string method;  ///< "PUT"
  std::string path;    ///< "/api/v1/vm.create"
  std::vector<BodyPiece> body = {};
  std::vector<int> fds = {};  ///< descriptors of ours that travel with it (SCM_RIGHTS)
};

/// How the supervisor talks to the VMM, and with it the moment from which the blobs are not read any more.
enum class Control : std::uint8_t {
  none,  ///< not at all: wipe the blobs at the guest's first sign of life, or when it ends
  /// QMP on `control_fd`: wipe after the reply to qmp_capabilities, then `cont`. Not an InitrdBlob: QEMU maps that
  /// file, and the guest's firmware copies from it (7.2, hw/i386/x86.c, x86_load_linux()); it is wiped at the guest's
  /// first sign of life.
  qmp,
  rest_fd,      ///< HTTP on the listening socket that the VMM inherits as `control_fd`: wipe after the last request
  rest_socket,  ///< HTTP on the socket that the VMM makes at `control_path`: wipe after the last request
};

/// How a VMM's API is asked for its version, before anything else is said to it.
struct VersionQuestion {
  std::string path = {};    ///< of a GET; empty: it is not asked
  std::string member = {};  ///< of the object that it answers: "v53.0"
};

/// How the guest reaches the supervisor.
enum class LinkKind : std::uint8_t {
  none,
  serial,  ///< a virtio-serial port on `link_fd`; the token says "serial"
  vsock,   ///< the VMM connects the guest's vsock port P to the unix socket `link_path`_P; the token says "vsock:2:P"
};

/// A door for other tools, at the path where they expect the VMM's own socket: the supervisor listens there and passes
/// on what `Launch::guard_rules` allows.
struct Guard {
  enum class Protocol : std::uint8_t {
    qmp,   ///< to QEMU's monitor on `guard_fd`
    hmp,   ///< QEMU's monitor for people: a few of its commands, as QMP to the same monitor
    rest,  ///< HTTP, to the VMM's API
  };
  Protocol protocol = Protocol::qmp;
  std::string path;
  bool operator==(const Guard&) const = default;
};
struct GuardRules {
  std::vector<std::string> allowed = {};  ///< "query-status" for QMP, "GET /api/v1/vm.info" for an API
  std::vector<std::string> hidden = {};   ///< members that are taken out of every answer, at any depth
  /// An API's errors are objects with this member; empty: lists of strings.
  std::string error_member = {};
  std::string power = {};       ///< the request that presses the power key: "PUT /actions"
  std::string power_word = {};  ///< … where its body holds this
};

/// A program beside the VMM, for one of its devices: started before it and ended with it.
struct Helper {
  std::vector<std::string> argv = {};
  std::string socket = {};  ///< where it listens; the VMM inherits a connection to it as descriptor `fd`
  int fd = 7;
  bool operator==(const Helper&) const = default;
};

/// What exit code 0 of a VMM that was not told to end says of its guest, where nobody announced anything.
enum class ExitTells : std::uint8_t { nothing, powered_off, reset };

struct Launch {
  std::vector<std::string> argv = {};
  std::vector<std::string> environment = {};  ///< besides what every VMM gets: "HOME=…"
  /// The child's descriptors from `first_blob_fd` on, one memory file each, in this order.
  std::vector<Blob> blobs = {};
  int first_blob_fd = 10;
  Control control = Control::qmp;
  int control_fd = 3;             ///< QEMU: one end of a socketpair; cloud-hypervisor: the listening API socket
  std::string control_path = {};  ///< Control::rest_socket
  /// Control::none: its standard output is the guest's console and nothing else, so that the first byte says that the
  /// blobs are read.
  bool console_tells = false;
  ExitTells exit_tells = ExitTells::nothing;
  bool ends_by_reboot = false;  ///< a guest that powers off does not end it, one that reboots does
  LinkKind link = LinkKind::none;
  int link_fd = 4;             ///< LinkKind::serial: one end of a socketpair
  std::string link_path = {};  ///< of a vsock whose host end is a unix socket; "" where there is none
  std::string notify_socket =
      {};  ///< where the plan tells systemd to speak: it arrives at `link_path`_kNotifyPort; "": nowhere
  std::vector<Helper> helpers = {};
  VersionQuestion version = {};  ///< REST; QEMU greets with its own
  std::vector<Request> requests = {};
  std::optional<Request> power_request = {};  ///< REST: presses the guest's power key
  std::optional<Request> quit_request = {};   ///< REST: ends the VMM
  /// A pipe on which the VMM writes a JSON object {"source", "event", …} for each thing that happens; 0: none. A VMM
  /// that reboots its guest by itself would boot it with the spent token: at `reboot_event` ("SOURCE EVENT") it is
  /// replaced.
  int event_fd = 0;
  std::string reboot_event = {};
  std::string panic_event = {};  ///< … and at this one its guest's kernel panicked
  std::vector<Guard> guards = {};
  GuardRules guard_rules = {};
  int guard_fd = 5;  ///< Guard::Protocol::qmp and hmp: one end of a socketpair, a monitor of QEMU's on it
  /// Only for a command line that somebody else built: descriptors of ours that it names and the child keeps.
  std::vector<int> kept_fds = {};
  bool keeps_stdin = false;                ///< … and whether the VMM reads our standard input
  std::vector<std::string> warnings = {};  ///< what was changed of what was asked for, and why
};

/// What a guard refuses unless the user exposes it: each gives the guest's memory away.
enum class Exposure : std::uint8_t { snapshot, migration, coredump };

/// What a backend needs besides the declaration.
struct Context {
  declare::Accel accel = declare::Accel::tcg;  ///< decided: kvm or tcg
  std::uint64_t host_tsc_khz = 0;              ///< for QEMU microvm under TCG
  bool with_link = false;
  std::string version = {};            ///< of the VMM's program, as probed; empty: not known
  std::string runtime_folder = {};     ///< private to this vm (0700), for sockets; empty: no guard is offered
  std::vector<Exposure> exposed = {};  ///< what the guard lets through besides
};

/// A command line that somebody else built, for `vmcred exec`.
struct Foreign {
  std::vector<std::string> argv;
  std::string config = {};  ///< the text of the configuration file that it names, where the backend asks for it
};

/// One row of the table of backends (apps/vmcred/vm/backends.cc); supervise and chain know no VMM by name.
struct Backend {
  std::string_view name;
  Result<Launch> (*launch)(const declare::Vm& vm, const credential::Plan& plan, const Context& context);
  /// `vmcred exec`, in three steps: is it a command line of this VMM; `vm` as that command line describes it, for the
  /// plan; the launch, with every argument kept and only ours added. Null where a VMM cannot be adopted.
  bool (*recognises)(const Foreign& foreign) = nullptr;
  Result<declare::Vm> (*describe)(const Foreign& foreign, declare::Vm vm) = nullptr;
  Result<Launch> (*adopt)(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                          const Context& context) = nullptr;
  /// The path of the configuration file that a command line names, for `Foreign::config`; "" where it names none.
  std::string (*config_file)(const Foreign& foreign) = nullptr;
};

}  // namespace vmcred::vmm
