#include "store/vault.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "sops/glance.h"
#include "sops/sops.h"
#include "store/keys.h"
#include "store/refused.h"

namespace vmcred::store {
namespace {

/// One text, as its own line, into a Secret.
Secret with_newline(const Secret& line) {
  Secret text(line.size() + 1);
  std::ranges::copy(line.bytes(), text.writable().begin());
  text.writable().back() = '\n';
  return text;
}

Result<sops::File> read_sops(const Repository& repository, const std::string& path) {
  TRY_LET(const std::string text, repository.read_proven(path));
  return in(fmt::format("read '{}'", path), sops::parse(text));
}

/// Two texts of lines as one.
Secret joined(const Secret& first, const Secret& second) {
  Secret text(first.size() + second.size());
  std::ranges::copy(second.bytes(), std::ranges::copy(first.bytes(), text.writable().begin()).out);
  return text;
}

/// Stores a machine's private key for the same readers as before.
Result<> replace_machine_key(const Repository& repository, const Lock& lock, const std::string& machine,
                             const Secret& text) {
  const std::string folder = machine_key_folder(machine);
  Principals principals(repository);
  TRY_LET(const Drift difference, drift(principals, folder));
  if (!difference.none())
    return hint(fail(Errc::mismatch, "'{}' is not encrypted to exactly those who its links name", folder),
                "look at it with 'vmcred secrets who'");
  TRY_LET(const Acl acl, principals.acl(folder));
  Change change;
  Sealer sealer(principals);
  TRY_LET(change.files["secret"], sealer.seal(text, acl.links));
  return publish(repository, lock, folder, change);
}

/// A secret's folder as it is read.
struct ReadersRead {
  SecretReaders readers;
  std::vector<BadLink> bad;
};

/// Of the secret in the folder `name` below `above`, an open folder whose path is `above_path` ("": the project's).
Result<ReadersRead> read_readers(Principals& principals, const Fd& above, const std::string& above_path,
                                 const std::string& name) {
  const Repository& repository = principals.repository();
  const std::string path = (above_path.empty() ? name : above_path + "/" + name) + "/secret";
  TRY_LET(const std::string text, repository.proof() != nullptr
                                      ? repository.read_proven(path)
                                      : read_plain_file(above, name + "/secret", kMaxStoredBytes, above_path));
  TRY_LET(std::vector<PublicKey> current, recipients_of(text, path));
  TRY_LET(Acl acl, principals.acl(above, above_path, name));
  return ReadersRead{.readers = {.recipients = std::move(current), .links = std::move(acl.links)},
                     .bad = std::move(acl.bad)};
}

Result<Drift> drift_of(Principals& principals, const SecretReaders& readers, std::vector<BadLink> bad = {}) {
  const Result<std::vector<PublicKey>>& wanted = principals.readers(readers.links);
  if (!wanted) return std::unexpected(wanted.error());
  Drift result{.bad = std::move(bad), .links = readers.links};
  std::ranges::set_difference(*wanted, readers.recipients, std::back_inserter(result.added));
  std::ranges::set_difference(readers.recipients, *wanted, std::back_inserter(result.removed));
  return result;
}

/// Links stay good while those they lead to are there.
bool all_exist(Principals& principals, const Links& links) {
  return std::ranges::all_of(std::array{Kind::user, Kind::machine, Kind::group}, [&](Kind kind) {
    return std::ranges::all_of(links.of(kind), [&](const std::string& name) { return principals.exists(kind, name); });
  });
}

}  // namespace

std::string machine_key_folder(const std::string& machine) { return fmt::format("sops/secrets/{}-age.key", machine); }

Result<> begin_machine_key(const Repository& repository, const Lock& lock, const std::string& machine,
                           const KeyRing& keys) {
  TRY_LET(const Secret old_key, machine_key(repository, machine, keys));
  const age::KeyPair pair = age::generate_key_pair();
  TRY(replace_machine_key(repository, lock, machine, joined(with_newline(pair.identity), old_key)));
  Change change;
  change.files["key.json"] = print_key_file({{.type = "age", .text = pair.recipient}});
  return publish(repository, lock, "sops/machines/" + machine, change);
}

Result<> finish_machine_key(const Repository& repository, const Lock& lock, const std::string& machine,
                            const KeyRing& keys) {
  TRY_LET(const Secret both, machine_key(repository, machine, keys));
  const std::size_t end = both.text().find('\n');
  if (end == std::string_view::npos || end + 1 == both.size()) return {};
  return replace_machine_key(repository, lock, machine, Secret::copy_of(both.text().substr(0, end + 1)));
}

Links links_for(const declare::Declaration& declaration, const Wanted& value, const std::string& writer) {
  Links links;
  for (const std::string& machine : value.machines) links.add(Kind::machine, machine);
  // The first machine's default groups, as clan does it; a vm counts as its host.
  const Placement& placement = value.id.generator.placement;
  std::string first = placement.owner;
  if (placement.sharing == declare::Sharing::per_vm) {
    const auto vm = declaration.vms.find(placement.owner);
    first = vm == declaration.vms.end() ? std::string() : vm->second.machine;
  } else if (placement.sharing == declare::Sharing::shared && !value.generator->machines.empty()) {
    first = std::ranges::min(value.generator->machines);
  }
  if (const auto machine = declaration.machines.find(first); machine != declaration.machines.end())
    for (const std::string& group : machine->second.default_groups) links.add(Kind::group, group);
  if (!writer.empty()) links.add(Kind::user, writer);
  return links;
}

Result<age::Recipients> Sealer::recipients(const std::vector<PublicKey>& readers) {
  age::Recipients all;
  for (const PublicKey& key : readers) {
    if (key.type != "age")
      return hint(fail(Errc::unavailable, "the PGP key {} is among the readers, and vmcred encrypts to age keys alone",
                       key.text),
                  "give its owner an age key");
    age::RecipientPtr& parsed = parsed_[key.text];
    if (!parsed) {
      TRY_LET(parsed, age::parse_recipient(key.text, principals_->repository().plugins()));
    }
    all.push_back(parsed);
  }
  return all;
}

Result<std::string> Sealer::seal(const Secret& value, const Links& links) {
  TRY_LET(const std::vector<PublicKey> readers, principals_->readers(links));
  TRY_LET(const age::Recipients keys, recipients(readers));
  if (keys.empty()) return fail(Errc::usage, "a secret needs a reader");
  TRY_LET(const sops::File file, sops::encrypt(value.bytes(), keys, {.clock = *clock_}));
  return sops::print(file);
}

Result<> Sealer::add(Change& change, const Repository& repository, const GeneratorId& id, const NewValue& value) {
  const std::string folder = Repository::generator_path(id);
  if (value.form == Form::open) {
    for (const char* part : {"secret", "users", "machines", "groups"}) change.remove.push_back(value.file + "/" + part);
    change.files[value.file + "/value"] = std::string(value.value.text());
    return {};
  }
  Links links = value.links;
  const VarId var{.generator = id, .file = value.file};
  TRY_LET(const std::optional<Form> present, repository.look(var));
  if (present == Form::secret) {
    const std::string place = folder + "/" + value.file;
    const Result<Drift> difference = drift(*principals_, place);
    if (!difference && difference.error().code != Errc::invalid_data) return std::unexpected(difference.error());
    if (difference && !difference->none())
      return hint(fail(Errc::mismatch, "{} is not encrypted to exactly those who its links name", spoken(var)),
                  "'vmcred secrets who' names them; 'vmcred vars fix' shows who would gain or lose it, before anything "
                  "changes");
    // Of a damaged file nobody can say whom it was encrypted to: only who is declared gets the new value.
    if (difference) {
      TRY_LET(Acl acl, principals_->acl(place));
      links = std::move(acl.links);
    }
  }
  TRY_LET(change.files[value.file + "/secret"], in(fmt::format("encrypt {}", spoken(var)), seal(value.value, links)));
  change.remove.push_back(value.file + "/value");
  set_links(change, folder, value.file, links);
  return {};
}

Result<std::vector<PublicKey>> recipients_of(std::string_view text, const std::string& path) {
  std::vector<PublicKey> keys;
  if (const auto seen = sops::glance(text)) {
    for (const std::string_view key : seen->recipients) keys.push_back({.type = "age", .text = std::string(key)});
  } else {
    TRY_LET(const sops::File file, in(fmt::format("read '{}'", path), sops::parse(text)));
    for (const std::string& key : sops::recipients(file)) keys.push_back({.type = "age", .text = key});
    for (const std::string& key : sops::pgp_fingerprints(file)) keys.push_back({.type = "pgp", .text = key});
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());  // sops reads a file that names somebody twice
  return keys;
}

Result<Drift> drift(Principals& principals, const std::string& folder) {
  TRY_LET(ReadersRead read, read_readers(principals, principals.repository().root(), "", folder));
  return drift_of(principals, read.readers, std::move(read.bad));
}

Result<Drift> drift(Principals& principals, const GeneratorFolder& generator, const std::string& file,
                    RememberedReaders* memory) {
  const bool may_remember = memory != nullptr && principals.repository().proof() == nullptr;
  const std::string stamp = may_remember ? memory->stamp(generator, file) : "";
  const std::string folder = generator.path() + "/" + file;
  if (const SecretReaders* const known = stamp.empty() ? nullptr : memory->find(folder, stamp))
    if (all_exist(principals, known->links)) return drift_of(principals, *known);
  TRY_LET(ReadersRead read, read_readers(principals, generator.fd(), generator.path(), file));
  if (may_remember && read.bad.empty()) memory->note(folder, stamp, read.readers);
  return drift_of(principals, read.readers, std::move(read.bad));
}

Result<Secret> machine_key(const Repository& repository, const std::string& machine, const KeyRing& keys) {
  const std::string path = machine_key_folder(machine) + "/secret";
  TRY_LET(const sops::File file, read_sops(repository, path));
  Result<Secret> value = in(fmt::format("decrypt '{}'", path), sops::decrypt(file, keys.keys().identities));
  if (!value) return std::unexpected(refused(repository, machine_key_folder(machine), keys, std::move(value).error()));
  return value;
}

Result<bool> ensure_machine_key(const Repository& repository, const Lock& lock, const declare::Machine& machine,
                                const std::string& writer, const KeyRing& keys) {
  Principals principals(repository);
  const Result<std::vector<PublicKey>> present = principals.keys(Kind::machine, machine.name);
  if (present) return false;
  if (present.error().code != Errc::not_found) return std::unexpected(present.error());
  const std::string secret_folder = machine_key_folder(machine.name);
  std::string public_key;
  if (open_beneath(repository.root(), secret_folder + "/secret", O_PATH | O_CLOEXEC)) {
    // Somebody was stopped between the two halves: the private one says what the public one is.
    TRY_LET(const Secret text, machine_key(repository, machine.name, keys));
    TRY_LET(const KeyRing ring, KeyRing::from_text(text, secret_folder));
    if (ring.recipients().empty()) return fail(Errc::invalid_data, "'{}' holds no age key", secret_folder);
    public_key = ring.recipients().front();
  } else {
    const age::KeyPair pair = age::generate_key_pair();
    public_key = pair.recipient;
    Links links;
    links.add(Kind::user, writer);
    for (const std::string& group : machine.default_groups) links.add(Kind::group, group);
    Change change;
    Sealer sealer(principals);
    TRY_LET(change.files["secret"], sealer.seal(with_newline(pair.identity), links));
    set_links(change, secret_folder, "", links);
    TRY(publish(repository, lock, secret_folder, change));
  }
  Change change;
  change.files["key.json"] = print_key_file({{.type = "age", .text = public_key}});
  TRY(publish(repository, lock, "sops/machines/" + machine.name, change));
  return true;
}

Result<> write_user(const Repository& repository, const Lock& lock, const std::string& user,
                    const std::vector<PublicKey>& keys) {
  TRY(check_user_name(user));
  Change change;
  change.files["key.json"] = print_key_file(keys);
  return publish(repository, lock, "sops/users/" + user, change);
}

}  // namespace vmcred::store
