#include "adopt/adopt.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/sha256.h"

namespace vmcred::adopt {
namespace {

using store::Kind;

/// A user's name is at most 32 characters and begins with a letter; a key without any name is called after its digest.
std::string principal_name(const std::string& recipient, const KeyName& known) {
  std::string name = known.name.substr(0, known.machine ? 63 : 32);
  while (name.ends_with('-')) name.pop_back();
  const bool good = !name.empty() && (known.machine || (name.front() >= 'a' && name.front() <= 'z'));
  if (good) return name;
  const Digest digest = sha256(bytes_of(recipient));
  return fmt::format("key-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
}

/// Users and machines of the store, and those that are added for keys that nobody has yet.
class Owners {
 public:
  Owners(const store::Repository& repository, const store::Lock& lock, const Wishes& wishes)
      : repository_(repository), lock_(lock), wishes_(wishes) {}

  Result<> know() {
    store::Principals principals(repository_);
    for (const Kind kind : {Kind::user, Kind::machine}) {
      TRY_LET(const std::vector<std::string> names, principals.names(kind));
      for (const std::string& name : names) {
        taken_.insert({kind, name});
        TRY_LET(const std::vector<store::PublicKey> keys, principals.keys(kind, name));
        for (const store::PublicKey& key : keys) owner_.try_emplace(without_comment(key.text), kind, name);
      }
    }
    return {};
  }

  /// The owner of a key; made when nobody has it.
  Result<std::pair<Kind, std::string>> of(const std::string& recipient, const KeyName& known, Adoption& adoption) {
    if (const auto found = owner_.find(recipient); found != owner_.end()) return found->second;
    KeyName wanted = known;
    if (std::ranges::find(wishes_.machines, wanted.name) != wishes_.machines.end()) wanted.machine = true;
    const Kind kind = wanted.machine ? Kind::machine : Kind::user;
    std::string name = principal_name(recipient, wanted);
    const std::string first = name;
    for (int next = 2; taken_.contains({kind, name}); ++next) name = fmt::format("{}-{}", first, next);
    TRY(kind == Kind::machine ? store::check_machine_name(name) : store::check_user_name(name));
    store::Change change;
    change.files["key.json"] = store::print_key_file({{.type = "age", .text = recipient}});
    const std::string folder = fmt::format("sops/{}/{}", store::plural(kind), name);
    TRY(store::publish(repository_, lock_, folder, change));
    adoption.paths.push_back(folder);
    (kind == Kind::machine ? adoption.machines : adoption.users).push_back(name);
    taken_.insert({kind, name});
    return owner_.try_emplace(recipient, kind, name).first->second;
  }

 private:
  const store::Repository& repository_;
  const store::Lock& lock_;
  const Wishes& wishes_;
  std::map<std::string, std::pair<Kind, std::string>> owner_;
  std::set<std::pair<Kind, std::string>> taken_;
};

/// A generator's secrets with the links that each gets.
struct Planned {
  std::vector<Foreign> secrets = {};
  std::vector<store::Links> links = {};
  std::set<std::string> machines = {};
};

Adopted placed(const std::string& generator, const Planned& planned, const Wishes& wishes) {
  Adopted adopted{.generator = generator, .machines = {planned.machines.begin(), planned.machines.end()}};
  if (adopted.machines.empty() && !wishes.machine.empty()) adopted.machines.push_back(wishes.machine);
  adopted.shared = adopted.machines.size() != 1;
  for (const Foreign& secret : planned.secrets) {
    adopted.files.push_back(secret.file);
    if (secret.value.empty()) adopted.empty.insert(secret.file);
  }
  return adopted;
}

store::GeneratorId id_of(const Adopted& adopted) {
  if (adopted.shared) return {.placement = {.sharing = declare::Sharing::shared}, .generator = adopted.generator};
  return {.placement = {.sharing = declare::Sharing::per_machine, .owner = adopted.machines.front()}, .generator = adopted.generator};
}

}  // namespace

Result<Adoption> adopt(const store::Repository& repository, const store::Lock& lock, Found found, const Wishes& wishes) {
  Adoption adoption;
  Owners owners(repository, lock, wishes);
  TRY(owners.know());
  std::map<std::string, Planned> plan;
  for (Foreign& secret : found.secrets) {
    TRY(in(secret.source, store::check_part_name(secret.generator)));
    TRY(in(secret.source, store::check_part_name(secret.file)));
    Planned& planned = plan[secret.generator];
    const bool twice = std::ranges::any_of(planned.secrets, [&](const Foreign& other) { return other.file == secret.file; });
    if (twice) {
      return hint(fail(Errc::invalid_data, "'{}' and another secret would both become '{}/{}'", secret.source, secret.generator, secret.file),
                  "import their files one by one, from folders of different names");
    }
    store::Links links;
    for (const std::string& recipient : secret.recipients) {
      TRY_LET(const auto owner, owners.of(recipient, found.names[recipient], adoption));
      links.add(owner.first, owner.second);
      if (owner.first == Kind::machine) planned.machines.insert(owner.second);
    }
    planned.links.push_back(std::move(links));
    planned.secrets.push_back(std::move(secret));
  }
  store::Principals principals(repository);
  store::Sealer sealer(principals);
  for (auto& [generator, planned] : plan) {
    const Adopted adopted = placed(generator, planned, wishes);
    const store::GeneratorId id = id_of(adopted);
    store::Change change;
    for (std::size_t i = 0; i < planned.secrets.size(); ++i) {
      Foreign& secret = planned.secrets[i];
      if (repository.has({.generator = id, .file = secret.file})) {
        adoption.kept.push_back(fmt::format("{}/{}", generator, secret.file));
        continue;
      }
      TRY(in(secret.source, sealer.add(change, repository, id, {.file = secret.file, .value = std::move(secret.value), .links = std::move(planned.links[i])})));
    }
    if (!change.files.empty()) {
      const std::string folder = store::Repository::generator_path(id);
      TRY(store::publish(repository, lock, folder, change));
      adoption.paths.push_back(folder);
    }
    adoption.generators.push_back(adopted);
  }
  return adoption;
}

std::string declaration_text(const Adoption& adoption, Language language) {
  std::string text;
  const auto list = [](const std::vector<std::string>& names, std::string_view separator) {
    std::string all;
    for (const std::string& name : names) all += fmt::format("{}\"{}\"", all.empty() ? "" : separator, name);
    return all;
  };
  if (language == Language::toml) {
    for (const std::string& machine : adoption.machines) text += fmt::format("[machines.{}]\n\n", machine);
    for (const Adopted& adopted : adoption.generators) {
      text += fmt::format("[generators.{}]\n", adopted.generator);
      if (adopted.shared) text += "share = true\n";
      if (!adopted.machines.empty()) text += fmt::format("machines = [{}]\n", list(adopted.machines, ", "));
      for (const std::string& file : adopted.files) {
        text += fmt::format("files.{} = {{{}}}\n", file, adopted.empty.contains(file) ? "allow-empty = true" : "");
      }
      text += "\n";
    }
    return text;
  }
  for (const Adopted& adopted : adoption.generators) {
    text += fmt::format("clan.core.vars.generators.\"{}\" = {{\n", adopted.generator);
    if (adopted.shared) text += "  share = true;\n";
    for (const std::string& file : adopted.files) {
      text += fmt::format("  files.\"{}\" = {{ {}}};\n", file, adopted.empty.contains(file) ? "allowEmpty = true; " : "");
    }
    text += "};\n";
  }
  return text;
}

}  // namespace vmcred::adopt
