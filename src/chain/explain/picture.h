// The chain of each credential as plain data: from the generator that makes it to the guest services that load it, with
// what is known of every step. Holds names, sizes and states, never a value. The renderers are in view.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "activate/generation.h"
#include "base/clock.h"
#include "base/result.h"
#include "chain/finding.h"
#include "declare/load.h"
#include "store/layout.h"
#include "store/repository.h"
#include "supervise/arrival.h"

namespace vmcred::chain::explain {

/// The steps of a chain, in the order in which a value takes them.
enum class Step : std::uint8_t { generator, store, host, channel, guest, service };
inline constexpr std::size_t kSteps = 6;
std::string_view step_name(Step step);  ///< "generator", "store", …

/// What is known of one stored value, and of its copy below /run.
struct SeenVar {
  std::string state = {};                 ///< "fresh", "stale", "invalid", "partial", "missing"; "" when not known
  std::vector<std::string> reasons = {};  ///< why it is stale
  bool due = false;                       ///< older than rotate-after
  std::string made = {};                  ///< RFC 3339; "" when not recorded
  std::optional<store::Form> form = {};   ///< empty: not stored
  std::optional<std::size_t> size = {};   ///< bytes of the value
  std::vector<std::string> readers = {};  ///< "machine web", "user alice", "group admins", by the secret's links
  std::optional<bool> activated = {};     ///< empty: nothing is activated on this machine
};

/// What was looked up; `picture` turns it and the declaration into chains.
struct Seen {
  std::map<store::VarId, SeenVar> vars = {};
  std::map<std::string, std::size_t> files = {};          ///< bytes of absolute sources that are on this machine
  std::optional<std::uint64_t> generation = {};           ///< that is activated on this machine
  std::map<std::string, supervise::Status> running = {};  ///< by vm, as their supervisors answered
};

/// Looks at the store and at what is activated; decrypts nothing, needs no key. A value whose record or readers cannot
/// be read is left without them: `check` says why. `running` is the caller's to fill.
Result<Seen> look(const declare::Declaration& declaration, const store::Repository& repository, const Clock& clock,
                  const activate::Places& places = {});

enum class Origin : std::uint8_t {
  var,
  file,   ///< an absolute path on the host
  fixed,  ///< a static value
  none,   ///< its unit loads nothing of that name
};

/// A guest service that loads the credential, and under which name it finds it in $CREDENTIALS_DIRECTORY.
struct Consumer {
  std::string service;  ///< without ".service"
  std::string id;
  std::string state = {};  ///< systemd's ActiveState of it in the running guest; "" when not known
};

/// A finding of `Picture::findings`, and the step of the chain that it is about.
struct Mark {
  std::size_t finding = 0;
  Step step = Step::generator;
};

struct Chain {
  std::string name;
  Origin origin = Origin::fixed;
  std::string generator = {};               ///< of a var
  std::string file = {};                    ///< of a var
  std::string owner = {};                   ///< of a var: "machine web", "vm web", "shared"
  std::vector<std::string> made_from = {};  ///< the generators that its generator reads
  std::string var = {};                     ///< "per-machine/M/GEN/FILE", below vars/ and below /run/vmcred/vars
  SeenVar seen = {};
  std::string host = {};                      ///< the credential's name in the vm's unit; "" for static values
  std::string source = {};                    ///< the path that LoadCredential= names
  std::string channel = {};                   ///< "smbios", …; "" when it cannot be delivered
  std::optional<std::size_t> container = {};  ///< index into Chains::containers
  std::optional<std::size_t> size = {};
  std::size_t used = 0;
  std::size_t allowed = 0;
  std::string refused = {};  ///< why it cannot be delivered
  std::string guest;
  std::vector<Consumer> consumers = {};
  std::string on_change = {};  ///< "restart", "reload", "signal HUP", "none"
  std::string received = {};   ///< "received", "missing", … from the receipt; "" while there is none
  std::size_t received_size = 0;
  supervise::Arrival arrival = supervise::Arrival::unknown;  ///< where the vm runs here
  std::vector<Mark> marks = {};
};

/// What carries several credentials: a type-11 structure, the link, …
struct Container {
  std::string channel = {};
  std::string name = {};
  std::size_t used = 0;
  std::size_t allowed = 0;  ///< 0: no limit of its own
};

/// A line of a guest service that loads what the vm does not receive.
struct LooseLine {
  std::string service;
  std::string id;
  std::string guest;
};

/// One vm with all its chains.
struct Chains {
  std::string vm;
  std::string machine;
  std::string hypervisor;
  std::string hardware;  ///< QEMU's machine type; "" elsewhere
  int guest_systemd = 252;
  bool agent = false;
  std::string unit;  ///< "microvm@web.service"
  std::optional<supervise::Status> running = {};
  std::vector<Container> containers = {};
  std::vector<Chain> chains = {};
  std::vector<LooseLine> loose = {};
  std::vector<std::size_t> findings = {};  ///< of the vm, but of no single credential
};

struct Picture {
  std::string folder;
  std::optional<std::uint64_t> generation = {};
  std::vector<Chains> vms = {};
  std::vector<Finding> findings = {};
  std::vector<std::size_t> elsewhere = {};  ///< findings that concern no vm of the picture
};

/// The picture of one vm, or of all when `vm` is empty (`not_found` with the nearest name otherwise). A declaration
/// with problems gives what could be read of it. `findings` are those of the whole project; the others' are left out.
Result<Picture> picture(const declare::Declaration& declaration, const Seen& seen, std::vector<Finding> findings,
                        const std::string& vm);

}  // namespace vmcred::chain::explain
