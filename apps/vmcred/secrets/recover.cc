// vmcred recover: an operator who lost his key becomes a reader again, by the key of a machine.
#include <algorithm>

#include "base/file.h"
#include "secrets/commands.h"
#include "secrets/identity.h"
#include "store/address.h"
#include "store/readers.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

using store::Kind;

constexpr std::size_t kMaxIdentity = 1024 * 1024;

constexpr Parameter kParameters[] = {
    {"--identity FILE",
     "the private key of a machine (on it: /var/lib/vmcred/key.txt), or any other that reads secrets here"},
    {"--user NAME", "which user you are (default: your login name)"},
    {"--commit", "commit the change in git"},
};

bool opens(const store::KeyRing& ring, const std::vector<store::PublicKey>& recipients) {
  return std::ranges::any_of(
      recipients, [&](const store::PublicKey& key) { return std::ranges::binary_search(ring.recipients(), key.text); });
}

/// The machine whose private key this is; "" for none.
std::string machine_of(store::Principals& principals, const store::KeyRing& ring) {
  const auto names = principals.names(Kind::machine);
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    const auto& keys = principals.keys(Kind::machine, name);
    if (keys && opens(ring, *keys)) return name;
  }
  return {};
}

/// What comes of each secret that the user should read.
struct Outcome {
  std::vector<store::PreparedAdjustment> changes = {};
  std::vector<store::SecretPlace> lost = {};
};

Result<Outcome> prepare_all(const Project& project, const std::string& user, const std::string& machine,
                            const store::KeyRing& ring, const World& world) {
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  Outcome outcome;
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Acl acl, principals.acl(place.folder));
    if (!store::reads(principals, acl.links, Kind::user, user) || place.folder == store::machine_key_folder(machine))
      continue;
    TRY_LET(const std::string text, project.repository.read_proven(place.folder + "/secret"));
    TRY_LET(const auto recipients, store::recipients_of(text, place.folder + "/secret"));
    if (!opens(ring, recipients)) {
      outcome.lost.push_back(place);
      continue;
    }
    TRY_LET(const store::Adjustment change, store::adjustment(project.repository, principals, place));
    if (!change.needed()) continue;
    TRY_LET(store::PreparedAdjustment prepared, prepare(project.repository, principals, ring, change, *world.clock));
    prepared.access.reset();  // the key that goes was his own
    outcome.changes.push_back(std::move(prepared));
  }
  return outcome;
}

/// The machine's own private key is in our hands, although it cannot read its copy in the store.
Result<> store_machine_key(const Project& project, const store::Lock& lock, const std::string& machine,
                           const Secret& identity) {
  const std::string folder = store::machine_key_folder(machine);
  store::Principals principals(project.repository);
  TRY_LET(const store::Acl acl, principals.acl(folder));
  if (acl.links == store::Links{}) return {};
  store::Change change;
  store::Sealer sealer(principals);
  TRY_LET(change.files["secret"], sealer.seal(identity, acl.links));
  return publish(project.repository, lock, folder, change);
}

void tell_lost(const std::vector<store::SecretPlace>& lost, const World& world) {
  if (lost.empty()) return note(world, "nothing stays lost");
  note(world, "what this key does not read stays lost; make or set it anew:");
  for (const store::SecretPlace& place : lost) {
    std::string remedy = "ask another of its readers ('vmcred secrets who' names them)";
    if (place.var) remedy = fmt::format("'vmcred vars rotate -g {}'", place.var->generator.generator);
    if (!place.var && place.folder.ends_with("-age.key")) remedy = "the key of another machine: run this again with it";
    note(world, fmt::format("  {}: {}", place.name(), remedy));
  }
}

Result<Exit> run(const Given& given, World& world) {
  if (!given.has("identity"))
    return hint(fail(Errc::usage, "whose key is it to be done with?"), "name its file with --identity");
  TRY_LET(const Secret text, in("read the identity", read_secret(given.at("identity"), kMaxIdentity)));
  TRY_LET(const store::KeyRing ring, store::KeyRing::from_text(text, given.at("identity")));
  if (ring.empty()) return fail(Errc::invalid_data, "'{}' holds no private key", given.at("identity"));
  TRY_LET(const store::KeyRing own, own_keys(world));
  if (own.age_recipients().empty()) return hint(fail(Errc::denied, "you have no age key"), "run 'vmcred vars keygen'");
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  const std::string user = given.has("user") ? given.at("user") : login_name(world);
  if (!principals.exists(Kind::user, user)) {
    TRY_LET(const auto names, principals.names(Kind::user));
    return hint(fail(Errc::not_found, "there is no user '{}'", user),
                fmt::format("--user is one of {}", enumeration(names)));
  }
  TRY_LET(const std::vector<store::PublicKey> before, principals.keys(Kind::user, user));
  const std::string machine = machine_of(principals, ring);
  std::vector<store::PublicKey> after;
  for (const std::string& key : own.age_recipients()) after.push_back({.type = "age", .text = key});
  // Which of several keys is lost nobody knows: all stay, for another of them may be all that opens the rest.
  if (before.size() > 1)
    for (const store::PublicKey& key : before)
      if (std::ranges::find(after, key) == after.end()) after.push_back(key);
  TRY(store::write_principal(project.repository, lock, Kind::user, user, after));
  Result<Outcome> outcome = prepare_all(project, user, machine, ring, world);
  if (!outcome) {
    TRY(in("take the change back", store::write_principal(project.repository, lock, Kind::user, user, before)));
    return std::unexpected(std::move(outcome).error());
  }
  TRY(store::carry_out(project.repository, lock, outcome->changes));
  if (!machine.empty()) TRY(store_machine_key(project, lock, machine, text));
  std::vector<std::string> changed = {"sops/users/" + user};
  for (const auto& each : outcome->changes) changed.push_back(each.place.folder);
  if (!machine.empty() && exists(join_path(project.repository.folder(), store::machine_key_folder(machine))))
    changed.push_back(store::machine_key_folder(machine));
  answer_with(world, "user", user);
  for (const auto& each : outcome->changes) answer_also(world, "secrets", store::address_of(each.place));
  for (const auto& each : outcome->lost) answer_also(world, "still_lost", store::address_of(each));
  note(world, fmt::format("user '{}' has the key {} now, and reads {} secret{} again", user, after.front().text,
                          outcome->changes.size(), outcome->changes.size() == 1 ? "" : "s"));
  if (before.size() > 1)
    note(world,
         fmt::format("the other keys of '{0}' stay: 'vmcred secrets users remove-key {0} KEY' takes the lost one away",
                     user));
  tell_lost(outcome->lost, world);
  TRY(hand_to_git(project, changed, fmt::format("secrets: new key of user {}", user), given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kRecover = {
    "recover",
    "make a user whose key is lost a reader again, by a machine's key",
    "For an operator who lost his private key: a machine's key, which is on that machine in /var/lib/vmcred/key.txt, "
    "reads\n"
    "what is deployed there. Your new key (made where there is none) takes the place of the lost one, and all that "
    "the\n"
    "machine's key opens is encrypted to it. What no key at hand opens is named, with what to do about each. Run it "
    "again\n"
    "with another machine's key for the rest.",
    kParameters,
    run,
};

}  // namespace vmcred::app
