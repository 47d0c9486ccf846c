// The declaration as plain structs: what every front end (TOML, JSON, Nix) produces and everything else reads.
// Values are normalised: defaults are filled in, the short form is expanded, names are checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vmcred::declare {

/// Where in its file something was declared; line 0: not known (generated, or from Nix).
struct Place {
  std::string file = {};
  int line = 0;
  int column = 0;
  std::string pointer = {};  ///< JSON pointer, for JSON input
  bool operator==(const Place&) const = default;
};

/// Who has a value of a generator of his own (clan-vars.md §2; per_vm is ours).
enum class Sharing : std::uint8_t { per_machine, shared, per_vm };

struct File {
  std::string name;
  bool secret = true;
  bool deploy = true;
  std::string owner = "root";
  std::string group = "root";
  std::uint32_t mode = 0400;
  bool allow_empty = false;
  std::string needed_for = "services";  ///< partitioning, activation, users, services
  std::vector<std::string> restart_units = {};
  Place place = {};
  Place mode_place = {};  ///< of the mode's value, where it is declared
  bool operator==(const File&) const = default;
};

enum class PromptType : std::uint8_t { hidden, line, multiline, multiline_hidden };
struct Prompt {
  std::string name;
  std::string description = {};
  PromptType type = PromptType::line;
  bool persist = false;
  std::string display_group = {};
  std::string display_label = {};
  std::string display_help = {};
  Place place = {};
  bool operator==(const Prompt&) const = default;
};

enum class OnStale : std::uint8_t { report, regenerate };

struct Generator {
  std::string name;
  Sharing sharing = Sharing::per_machine;
  std::vector<std::string> machines = {};  ///< per_machine and shared: who has it
  std::vector<std::string> vms = {};       ///< per_vm: which vms
  std::vector<std::string> runtime_inputs = {};
  std::string script = {};
  std::vector<std::string> dependencies = {};
  std::map<std::string, File> files = {};
  std::map<std::string, Prompt> prompts = {};
  std::optional<std::string> validation_json = {};  ///< canonical JSON (compact, sorted keys) as Nix's toJSON gives it
  OnStale on_stale = OnStale::report;
  std::optional<std::chrono::days> rotate_after = {};
  bool foreign = false;  ///< from clan: undeclared output files only warn
  Place place = {};
  bool operator==(const Generator&) const = default;
};

struct Machine {
  std::string name;
  std::vector<std::string> default_groups = {};
  Place place = {};
  bool operator==(const Machine&) const = default;
};

enum class Hypervisor : std::uint8_t { qemu, cloud_hypervisor, crosvm, firecracker, kvmtool };
enum class Delivery : std::uint8_t { automatic, value, reference };
enum class ReceiptMode : std::uint8_t { required, off };
enum class Accel : std::uint8_t { automatic, kvm, tcg };
enum class OnChange : std::uint8_t { restart, reload, signal, none };

/// A var of the store: GENERATOR/FILE.
struct VarRef {
  std::string generator;
  std::string file;
  auto operator<=>(const VarRef&) const = default;
};

/// One credential of a vm, whatever form it was declared in.
struct Credential {
  std::string name;   ///< the short name, `api-key`; for long-form entries derived from the host name
  std::string host;   ///< LoadCredential= and credentialFiles name, `host-api-key`; empty for static values
  std::string guest;  ///< name in the guest's @system, `API_KEY`
  /// Where the value comes from: a var, an absolute path on the host, or a static value that is not secret.
  std::variant<VarRef, std::string, std::nullptr_t> from = nullptr;
  std::optional<std::string> static_value = {};  ///< set exactly when `from` is nullptr
  bool allow_empty = false;
  bool is_public = false;                  ///< `public = true`: a static value that only looks like a secret
  std::vector<std::string> services = {};  ///< guest services that load it, sorted
  OnChange on_change = OnChange::restart;
  std::string on_change_signal = {};  ///< "HUP" for OnChange::signal
  Place place = {};
  bool operator==(const Credential&) const = default;
};

/// A guest service's LoadCredential= lines in long form: (id, guest credential).
struct GuestService {
  std::string name;
  std::vector<std::pair<std::string, std::string>> load_credential = {};
  std::vector<Place> places = {};  ///< of the entries
  /// How long it must stay active with new values before they count as good; with a command: how long that may fail.
  std::chrono::seconds health{2};
  std::vector<std::string> health_command = {};  ///< argv in the guest; exit 0: the service is well
  Place place = {};
  bool operator==(const GuestService&) const = default;
};

/// The guide's four lists as they were written; `check` compares them. Empty vectors for short-form vms.
struct LongForm {
  bool used = false;
  std::vector<std::pair<std::string, std::string>> load_credential = {};  ///< host name, source as written
  std::vector<std::string> credential_files = {};
  std::vector<std::string> oem_strings = {};
  std::vector<Place> places = {};  ///< of the load_credential entries
  std::vector<Place> credential_files_places = {};
  std::vector<Place> oem_strings_places = {};
  bool operator==(const LongForm&) const = default;
};

struct Guest {
  int systemd = 252;
  bool systemd_in_initrd = false;
  bool agent = false;  ///< vmcred-guest is in the image
  bool operator==(const Guest&) const = default;
};

struct Disk {
  std::string path;
  bool read_only = false;
  std::string format = "raw";
  bool operator==(const Disk&) const = default;
};
struct Network {
  std::string type = "user";  ///< user, tap
  std::string tap = {};
  std::string mac = {};
  std::vector<std::string> forward = {};  ///< "tcp:127.0.0.1:2222:22" (user only)
  bool operator==(const Network&) const = default;
};
struct Share {
  std::string tag;
  std::string socket;  ///< vhost-user-fs socket of virtiofsd
  bool operator==(const Share&) const = default;
};

struct Vm {
  std::string name;
  std::string machine;  ///< the host
  Hypervisor hypervisor = Hypervisor::qemu;
  std::string qemu_machine = "q35";  ///< q35, pc, microvm, virt
  std::string vsock_device =
      {};  ///< QEMU: the program vhost-device-vsock, which ends the guest's vsock in a unix socket; empty: none
  std::string vmm_version = {};  ///< counts instead of what the VMM says of itself; empty: it is asked
  std::string architecture = "x86_64";
  std::string binary = {};  ///< the VMM's program; empty: the usual name on PATH
  std::string kernel = {};  ///< paths are absolute after loading
  std::string initrd = {};
  std::string command_line = {};  ///< appended to ours
  std::uint64_t memory_bytes = 512ULL * 1024 * 1024;
  unsigned vcpus = 1;
  Accel accel = Accel::automatic;
  Delivery delivery = Delivery::automatic;
  std::optional<ReceiptMode> receipt = {};                   ///< empty: required where guest.agent, else off
  std::optional<std::chrono::seconds> receipt_timeout = {};  ///< empty: 90 s with KVM, 300 s with TCG
  std::optional<std::chrono::seconds> start_timeout = {};    ///< until the VMM has read what it is given; empty: 30 s
  std::vector<Disk> disks = {};
  std::vector<Network> networks = {};
  std::vector<Share> shares = {};
  std::optional<unsigned> vsock_cid = {};
  std::vector<std::string> extra_arguments = {};
  std::vector<std::string> allowed_options =
      {};                                    ///< of its VMM, though vmcred does not know them (vmm/allowed_options.h)
  std::vector<Credential> credentials = {};  ///< sorted by guest name
  std::map<std::string, GuestService> services = {};  ///< both forms, by service name without ".service"
  LongForm long_form = {};
  Guest guest = {};
  Place place = {};
  bool operator==(const Vm&) const = default;
};

struct GitSettings {
  bool commit = false;
  bool operator==(const GitSettings&) const = default;
};

struct Declaration {
  std::string file = {};    ///< the file it was read from
  std::string folder = {};  ///< the project folder, absolute
  std::map<std::string, Machine> machines = {};
  std::map<std::string, Generator> generators = {};
  std::map<std::string, Vm> vms = {};
  GitSettings git = {};
  bool operator==(const Declaration&) const = default;
};

}  // namespace vmcred::declare
