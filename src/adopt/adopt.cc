#include "adopt/adopt.h"

#include <algorithm>
#include <optional>

#include "adopt/owners.h"
#include "adopt/wishes.h"
#include "base/parallel.h"
#include "sops/sops.h"

namespace vmcred::adopt {
namespace {

constexpr std::size_t kTogether = 8;

/// Nobody becomes a reader by it who was none before. An SSH key that is in none of a file's stanzas was no reader; of
/// other keys it cannot be told which of them were.
void settle_unproven(Found& found, bool widen) {
  for (Foreign& secret : found.secrets) {
    if (secret.unproven.empty() || widen) continue;
    const bool certain =
        std::ranges::all_of(secret.unproven, [](const std::string& key) { return key.starts_with("ssh-"); });
    if (!certain) {
      found.left_out.push_back(
          {secret.source, Error{Errc::mismatch, "the file is encrypted to fewer keys than are named for it",
                                "run 'agenix --rekey' first; or --widen, if all who are named may read it"}});
      continue;
    }
    for (const std::string& key : secret.unproven) {
      const std::string& name = found.names[key].name;
      found.notes.push_back(fmt::format("{} is named for '{}' and cannot read it: that stays so",
                                        name.empty() ? key : name, secret.source));
    }
    std::erase_if(secret.recipients,
                  [&](const std::string& key) { return std::ranges::binary_search(secret.unproven, key); });
  }
  std::erase_if(found.secrets, [&](const Foreign& secret) {
    return std::ranges::any_of(found.left_out, [&](const LeftOut& each) { return each.source == secret.source; });
  });
}

/// What is stored already, whoever it belongs to.
Result<> keep_stored(const store::Repository& repository, std::vector<Foreign>& secrets, Adoption& adoption,
                     std::set<std::string>& generators) {
  TRY_LET(const std::vector<store::VarId> stored, repository.list());
  std::set<std::pair<std::string, std::string>> names;
  for (const store::VarId& id : stored) {
    names.insert({id.generator.generator, id.file});
    generators.insert(id.generator.generator);
  }
  std::erase_if(secrets, [&](const Foreign& secret) {
    if (!names.contains({secret.generator, secret.file})) return false;
    adoption.kept.push_back(fmt::format("{}/{}", secret.generator, secret.file));
    return true;
  });
  return {};
}

/// The keys of all secrets, each parsed once.
using Parsed = std::map<std::string, Result<age::RecipientPtr>>;

Result<std::string> sealed(const Foreign& secret, const Parsed& parsed) {
  age::Recipients keys;
  for (const std::string& recipient : secret.recipients) {
    const Result<age::RecipientPtr>& key = parsed.at(recipient);
    if (!key) return std::unexpected(key.error());
    keys.push_back(*key);
  }
  TRY_LET(const sops::File file, sops::encrypt(secret.value.bytes(), keys));
  return sops::print(file);
}

/// Every secret's ciphertext, on all cores.
std::vector<Result<std::string>> sealed_all(const std::vector<Foreign>& secrets, const store::Repository& repository) {
  Parsed parsed;
  for (const Foreign& secret : secrets)
    for (const std::string& recipient : secret.recipients)
      if (!parsed.contains(recipient)) parsed.emplace(recipient, age::parse_recipient(recipient, repository.plugins()));
  std::vector<Result<std::string>> all(secrets.size());
  in_ranges(
      secrets.size(),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i)
          if (secrets[i].secret) all[i] = sealed(secrets[i], parsed);
      },
      kTogether);
  return all;
}

store::GeneratorId id_of(const std::string& generator, const store::Links& links) {
  if (links.machines.size() != 1) return {.placement = {.sharing = declare::Sharing::shared}, .generator = generator};
  return {.placement = {.sharing = declare::Sharing::per_machine, .owner = links.machines.front()},
          .generator = generator};
}

/// A generator's secrets, which all have the same readers, become one change.
void add_generator(const std::string& generator,
                   const std::vector<std::pair<const Foreign*, const std::string*>>& files, Owners& owners, bool known,
                   Adoption& adoption) {
  const store::Links links = owners.links_for(files.front().first->recipients);
  const std::string folder = store::Repository::generator_path(id_of(generator, links));
  Adopted adopted{.generator = generator, .machines = links.machines, .known = known};
  store::Change change;
  for (const auto& [secret, ciphertext] : files) {
    if (secret->secret) {
      change.files[secret->file + "/secret"] = *ciphertext;
      store::set_links(change, folder, secret->file, links);
    } else {
      change.files[secret->file + "/value"] = std::string(secret->value.text());
    }
    adopted.files.push_back({.name = secret->file, .secret = secret->secret, .empty = secret->value.empty()});
  }
  adoption.changes.push_back({.folder = folder, .change = std::move(change)});
  adoption.generators.push_back(std::move(adopted));
}

}  // namespace

std::size_t Adoption::count() const {
  std::size_t count = 0;
  for (const Adopted& each : generators) count += each.files.size();
  return count;
}

Result<Adoption> plan_adoption(const store::Repository& repository, Found found, const Wishes& wishes) {
  TRY(grant(wishes, found));
  settle_unproven(found, wishes.widen);
  sort_out_names(found);
  Adoption adoption;
  std::set<std::string> stored;
  TRY(keep_stored(repository, found.secrets, adoption, stored));
  const std::vector<Result<std::string>> ciphertexts = sealed_all(found.secrets, repository);
  std::map<std::string, std::vector<std::pair<const Foreign*, const std::string*>>> by_generator;
  for (std::size_t i = 0; i < found.secrets.size(); ++i) {
    const Foreign& secret = found.secrets[i];
    if (ciphertexts[i])
      by_generator[secret.generator].emplace_back(&secret, &*ciphertexts[i]);
    else
      found.left_out.push_back({secret.source, ciphertexts[i].error()});
  }
  TRY_LET(Owners owners, Owners::of(repository, std::move(found.names)));
  for (const auto& [generator, files] : by_generator)
    add_generator(generator, files, owners, stored.contains(generator), adoption);
  adoption.notes = std::move(found.notes);
  owners.add_to(adoption);
  adoption.left_out = std::move(found.left_out);
  std::ranges::sort(adoption.left_out, {}, &LeftOut::source);
  return adoption;
}

Result<> carry_out(const store::Repository& repository, const store::Lock& lock, const Adoption& adoption) {
  return store::publish(repository, lock, adoption.changes);
}

}  // namespace vmcred::adopt
