// Findings of the store, without any key.
#include <algorithm>
#include <iterator>
#include <optional>
#include <span>

#include "base/parallel.h"
#include "chain/check.h"
#include "generate/graph.h"
#include "generate/spoken.h"
#include "generate/survey.h"
#include "store/deployed.h"
#include "store/former.h"
#include "store/inferred.h"
#include "store/layout.h"
#include "store/named_reader.h"
#include "store/readers.h"
#include "store/vault.h"

namespace vmcred::chain {
namespace {

constexpr std::size_t kTogether = 4;  // generators that a thread looks at in one go

declare::Place place_of(const declare::Declaration& declaration, const store::VarId& id) {
  if (store::is_inferred(declaration)) return {.file = "vars/" + store::rel_path(id)};
  const auto generator = declaration.generators.find(id.generator.generator);
  if (generator == declaration.generators.end()) return {.file = declaration.file};
  const auto file = generator->second.files.find(id.file);
  return file == generator->second.files.end() ? generator->second.place : file->second.place;
}

Finding about(Code code, declare::Place place, const store::VarId& id, std::string message, std::string hint) {
  Finding each = finding(code, std::move(place), std::move(message), std::move(hint));
  each.subject = store::rel_path(id);
  return each;
}
Finding about(Code code, const declare::Declaration& declaration, const store::VarId& id, std::string message,
              std::string hint) {
  return about(code, place_of(declaration, id), id, std::move(message), std::move(hint));
}

std::string generate_command(const store::VarId& id) {
  return fmt::format("run 'vmcred vars generate -g {}'", id.generator.generator);
}

/// What stands under another name in the store than in the declaration.
struct Renamed {
  std::string declared;  ///< "generator 'old'"
  std::string stored;    ///< "new"
  std::string line;      ///< "vmcred.toml:5": where the old name stands
};

/// Whether a missing value may be an orphaned one whose generator or machine was renamed in the store alone.
std::optional<Renamed> renamed(const declare::Declaration& declaration, const store::VarId& missing,
                               const store::VarId& orphan) {
  const auto line = [](const declare::Place& place) {
    return place.line == 0 ? place.file + place.pointer : fmt::format("{}:{}", place.file, place.line);
  };
  if (missing.file != orphan.file) return {};
  const std::string& generator = missing.generator.generator;
  const std::string& owner = missing.generator.placement.owner;
  const store::Placement& stored = orphan.generator.placement;
  if (missing.generator.placement == stored && !declaration.generators.contains(orphan.generator.generator))
    return Renamed{.declared = fmt::format("generator '{}'", generator),
                   .stored = orphan.generator.generator,
                   .line = line(declaration.generators.at(generator).place)};
  const bool of_machines =
      stored.sharing == declare::Sharing::per_machine && missing.generator.placement.sharing == stored.sharing;
  const auto machine = declaration.machines.find(owner);
  if (of_machines && generator == orphan.generator.generator && machine != declaration.machines.end() &&
      !declaration.machines.contains(stored.owner))
    return Renamed{
        .declared = fmt::format("machine '{}'", owner), .stored = stored.owner, .line = line(machine->second.place)};
  return {};
}

/// The only orphan that `missing` may be, or the other way round.
template <class Match>
std::optional<Renamed> only_match(const std::vector<store::VarId>& candidates, Match match) {
  std::optional<Renamed> only;
  for (const store::VarId& each : candidates) {
    std::optional<Renamed> found = match(each);
    if (found && only) return {};
    if (found) only = std::move(found);
  }
  return only;
}

// Pitfall 4.
void check_missing(const declare::Declaration& declaration, const std::vector<store::VarId>& missing,
                   const std::vector<store::VarId>& orphans, std::vector<Finding>& findings) {
  for (const store::VarId& id : missing) {
    const declare::Generator& generator = declaration.generators.at(id.generator.generator);
    const bool from_outside = generator.script.empty() && generator.prompts.empty() && !generator.foreign;
    std::string remedy =
        from_outside ? fmt::format("store it with '{}'", store::set_command(id)) : generate_command(id);
    const auto name = only_match(orphans, [&](const store::VarId& orphan) { return renamed(declaration, id, orphan); });
    if (name)
      remedy =
          fmt::format("if {} was renamed to '{}', which is what the store calls it, write the new name in {}; else {}",
                      name->declared, name->stored, name->line, remedy);
    findings.push_back(
        about(Code::not_generated, declaration, id, fmt::format("{} was never generated", store::spoken(id)), remedy));
  }
}

void check_orphans(const declare::Declaration& declaration, const std::vector<store::VarId>& missing,
                   const std::vector<store::VarId>& orphans, std::vector<Finding>& findings) {
  for (const store::VarId& id : orphans) {
    // No line of the declaration is wrong: what is there is of values that are well.
    declare::Place place = {.file = "vars/" + store::rel_path(id)};
    std::string remedy = "declare it, or remove it with 'vmcred vars prune'";
    const auto name = only_match(missing, [&](const store::VarId& absent) { return renamed(declaration, absent, id); });
    if (name)
      remedy = fmt::format("if {} was renamed to '{}', write the new name in {}; else {}", name->declared, name->stored,
                           name->line, remedy);
    findings.push_back(about(Code::orphaned, std::move(place), id,
                             fmt::format("{} is stored and not declared", store::spoken(id)), std::move(remedy)));
  }
}

/// Removing somebody is said plainly; of whoever would gain something the remedy says who it is.
std::string drift_remedy(store::Principals& principals, const store::Drift& drift) {
  if (drift.added.empty()) return "look who it is; 'vmcred vars fix' takes it from those whom no link names";
  std::string who;
  for (const store::PublicKey& key : drift.added) who += (who.empty() ? "" : ", ") + store::owner_of(principals, key);
  return fmt::format("if {} shall not read it, remove that link; 'vmcred vars fix --widen' would let {} read it", who,
                     who);
}

std::vector<std::string> drift_details(store::Principals& principals, const store::Drift& drift) {
  std::vector<std::string> details;
  const auto whose = [&](const store::PublicKey& key) {
    const std::string owner = store::owner_of(principals, key);
    return owner.ends_with(key.text) ? key.text : fmt::format("{} ({})", key.text, owner);
  };
  for (const store::PublicKey& key : drift.added)
    details.push_back(fmt::format("should read it and cannot: {}", whose(key)));
  for (const store::PublicKey& key : drift.removed)
    details.push_back(fmt::format("can read it and should not: {}", whose(key)));
  for (const store::BadLink& link : drift.bad)
    details.push_back(fmt::format("grants nothing: {} {}", link.path, link.reason));
  return details;
}

/// Secrets that are no vars, or no declared ones: the keys of machines, others below sops/secrets, exports, orphans.
Result<std::vector<Finding>> check_others(const store::Repository& repository,
                                          const std::vector<store::VarId>& orphans) {
  TRY_LET(std::vector<store::SecretPlace> places, store::places_beside_vars(repository));
  for (const store::VarId& id : orphans)
    if (repository.form(id) == store::Form::secret)
      places.push_back({.folder = "vars/" + store::rel_path(id), .var = id});
  std::vector<Finding> findings;
  store::Principals principals(repository);
  for (const store::SecretPlace& place : places) {
    const declare::Place where = {.file = place.folder + "/secret"};
    const Result<store::Drift> drift = store::drift(principals, place.folder);
    if (!drift) {
      findings.push_back(finding(Code::damaged, where, fmt::format("{}: {}", place.name(), drift.error().message),
                                 drift.error().hint.empty() ? "bring it back from git" : drift.error().hint));
      continue;
    }
    if (drift->none()) continue;
    const std::string machine = store::machine_of_key_folder(place.folder);
    Finding found = finding(
        Code::recipients_drifted, where,
        machine.empty() ? fmt::format("{}: who can decrypt it is not who its links name", place.name())
                        : fmt::format("the private key of machine '{0}': who can decrypt it is not who its links name, "
                                      "and whoever can reads all that machine '{0}' reads",
                                      machine),
        drift_remedy(principals, *drift));
    found.details = drift_details(principals, *drift);
    findings.push_back(std::move(found));
  }
  return findings;
}

/// What is said of one generator's values, and those that are not there.
struct Looked {
  std::vector<Finding> findings = {};
  std::vector<store::VarId> missing = {};
  std::optional<std::string> deployed = {};  ///< store::deployed_machine
};

/// What was deployed has no links: the machine whose it is must be among the recipients, and the others are not its
/// business.
void check_deployed(const declare::Declaration& declaration, store::Principals& principals, const store::Wanted& each,
                    const store::Drift& drift, Looked& looked) {
  if (looked.deployed->empty()) return;
  const auto& keys = principals.keys(store::Kind::machine, *looked.deployed);
  if (!keys ||
      std::ranges::any_of(*keys, [&](const auto& key) { return std::ranges::binary_search(drift.removed, key); }))
    return;
  looked.findings.push_back(about(
      Code::recipients_drifted, declaration, each.id,
      fmt::format("{} was deployed, and is not encrypted to machine '{}'", store::spoken(each.id), *looked.deployed),
      fmt::format("run 'vmcred vars fix' in the project, then 'vmcred deploy {}'", *looked.deployed)));
}

void check_value(const declare::Declaration& declaration, store::Principals& principals,
                 const store::GeneratorFolder& folder, const store::Wanted& each, Looked& looked) {
  std::vector<Finding>& findings = looked.findings;
  const Result<std::optional<store::Form>> stands = folder.look(each.id.file);
  if (!stands) return;  // the survey tells
  const std::optional<store::Form> form = *stands;
  if (!form) looked.missing.push_back(each.id);
  if (each.file->secret && form == store::Form::open) {
    findings.push_back(about(Code::open_secret, declaration, each.id,
                             fmt::format("{} is a secret, and stored as plain text", store::spoken(each.id)),
                             fmt::format("the value is in git for good: {} --regenerate", generate_command(each.id))));
  }
  if (form != store::Form::secret) return;
  if (const auto former = store::former_readers(folder, each.id.file); former && !former->empty()) {
    findings.push_back(about(Code::access_taken_away, declaration, each.id,
                             fmt::format("{}: {}", store::spoken(each.id), store::former_text(*former)),
                             fmt::format("run 'vmcred vars rotate -g {}'", each.id.generator.generator)));
  }
  const bool inferred = store::is_inferred(declaration);
  const Result<store::Drift> read = store::drift(principals, folder, each.id.file);
  if (!read) {
    findings.push_back(about(
        Code::damaged, declaration, each.id, fmt::format("{}: {}", store::spoken(each.id), read.error().message),
        !read.error().hint.empty()
            ? read.error().hint
            : fmt::format("bring it back from git, or run 'vmcred vars rotate -g {}'", each.id.generator.generator)));
    return;
  }
  const store::Drift& drift = *read;
  if (looked.deployed && drift.links == store::Links{} && drift.bad.empty())
    return check_deployed(declaration, principals, each, drift, looked);
  // Where something else is wrong with the links that is told below, and mending it may be all that is missing.
  if (drift.none()) {
    if (inferred) return;  // that a machine does not read it may well be meant
    for (const std::string& machine : store::machines_left_out(principals, drift.links, each))
      findings.push_back(about(
          Code::recipients_drifted, declaration, each.id,
          fmt::format("{} is deployed to machine '{}', and no link lets that read it", store::spoken(each.id), machine),
          fmt::format("say deploy = false; or, if machine '{}' shall read it, run 'vmcred vars fix'", machine)));
    return;
  }
  Finding found = about(Code::recipients_drifted, declaration, each.id,
                        fmt::format("{}: who can decrypt it is not who its links name", store::spoken(each.id)),
                        drift_remedy(principals, drift));
  found.details = drift_details(principals, drift);
  findings.push_back(std::move(found));
}

/// Every declared value, a generator's together, on all cores. `wanted` is sorted.
Looked check_values(const declare::Declaration& declaration, const store::Repository& repository,
                    const std::vector<store::Wanted>& wanted, const std::optional<std::string>& deployed) {
  std::vector<std::span<const store::Wanted>> groups;
  for (auto begin = wanted.begin(); begin != wanted.end();) {
    const auto end = std::ranges::find_if(
        begin, wanted.end(), [&](const store::Wanted& each) { return each.id.generator != begin->id.generator; });
    groups.emplace_back(begin, end);
    begin = end;
  }
  std::vector<Looked> of_groups(groups.size(), Looked{.deployed = deployed});
  in_ranges(
      groups.size(),
      [&, principals = store::Principals(repository)](std::size_t begin, std::size_t end) mutable {
        for (std::size_t i = begin; i < end; ++i) {
          const auto folder = store::GeneratorFolder::open(repository, groups[i].front().id.generator);
          if (!folder) continue;
          for (const store::Wanted& each : groups[i]) check_value(declaration, principals, *folder, each, of_groups[i]);
        }
      },
      kTogether);
  Looked all;
  for (Looked& each : of_groups) {
    std::ranges::move(each.findings, std::back_inserter(all.findings));
    std::ranges::move(each.missing, std::back_inserter(all.missing));
  }
  return all;
}

/// One edit of a script makes it old for everybody who has it: the owners, where all of them are for the same reasons,
/// else none.
std::vector<const generate::Task*> all_old_alike(const generate::Graph& graph,
                                                 const std::vector<generate::Status>& statuses, std::size_t one) {
  std::vector<const generate::Task*> owners;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (graph.tasks[i].generator != graph.tasks[one].generator) continue;
    if (statuses[i].state != statuses[one].state || statuses[i].reasons != statuses[one].reasons) return {};
    owners.push_back(&graph.tasks[i]);
  }
  return owners.size() > 1 ? owners : std::vector<const generate::Task*>();
}

// What `vars generate` would say: damaged, made from something else since, or too old.
void check_generators(const generate::Graph& graph, const std::vector<generate::Status>& statuses,
                      std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    const generate::Task& task = graph.tasks[i];
    const declare::Place& place = task.generator->place;
    const std::string name = store::spoken(task.id);
    const bool stale = statuses[i].state == generate::State::stale || statuses[i].state == generate::State::invalid;
    // A secret in clear is stale by its form alone; it was told above, and other reasons are told again once it is
    // mended.
    const auto told = [&](Code code) {
      return std::ranges::any_of(findings, [&](const Finding& each) {
        return each.code == code && each.subject.starts_with(store::rel_dir(task.id) + "/");
      });
    };
    if (statuses[i].damage && !told(Code::damaged)) {
      Finding each = finding(Code::damaged, place, fmt::format("{}: {}", name, statuses[i].damage->message),
                             statuses[i].damage->hint);
      each.subject = store::rel_dir(task.id);
      findings.push_back(std::move(each));
    }
    if (stale && !told(Code::open_secret)) {
      const auto owners = all_old_alike(graph, statuses, i);
      if (!owners.empty() && owners.front() != &task) continue;
      Finding each = finding(
          Code::stale, place,
          fmt::format("{} is older than what it is made from", owners.empty() ? name : generate::spoken(owners)),
          fmt::format("run 'vmcred vars generate -g {} --stale'", task.generator->name));
      each.details = statuses[i].reasons;
      if (owners.empty()) each.subject = store::rel_dir(task.id);  // else it is about all that the generator made
      findings.push_back(std::move(each));
    }
    if (statuses[i].due) {
      Finding each = finding(Code::due, place,
                             fmt::format("{} is older than {} days", name, task.generator->rotate_after->count()),
                             fmt::format("run 'vmcred vars rotate -g {}'", task.generator->name));
      each.subject = store::rel_dir(task.id);
      findings.push_back(std::move(each));
    }
  }
}

}  // namespace

Result<std::vector<Finding>> check_store(const declare::Declaration& declaration, const store::Repository& repository,
                                         const Clock& clock) {
  const std::optional<std::string> deployed = store::deployed_machine(repository);
  const bool of_one = deployed && !deployed->empty();
  const std::vector<store::Wanted> wanted =
      of_one ? store::wanted_on(declaration, *deployed) : store::wanted(declaration);
  auto [findings, missing, unused] = check_values(declaration, repository, wanted, deployed);
  const auto graph = generate::build_graph(declaration);
  if (!graph) {  // orphans and ages are told once it is mended
    findings.push_back(
        finding(Code::invalid_declaration, {.file = declaration.file}, graph.error().message, graph.error().hint));
    check_missing(declaration, missing, {}, findings);
    return findings;
  }
  const std::vector<generate::Status> statuses = generate::survey(*graph, repository, clock);
  TRY_LET(const std::vector<store::VarId> orphans, generate::orphans(*graph, statuses, repository));
  store::Principals principals(repository);
  const bool any_secret = std::ranges::any_of(wanted, [&](const store::Wanted& each) { return each.file->secret; }) &&
                          missing.size() < wanted.size();
  if (const std::string user = store::only_user(principals); any_secret && !user.empty())
    findings.push_back(finding(Code::one_reader, {.file = declaration.file},
                               fmt::format("user '{}' is the only person who can read the secrets", user),
                               "add a second user or key, or keep a copy of the key in a safe place"));
  check_missing(declaration, missing, orphans, findings);
  check_orphans(declaration, missing, orphans, findings);
  check_generators(*graph, statuses, findings);
  TRY_LET(std::vector<Finding> others, check_others(repository, orphans));
  std::ranges::move(others, std::back_inserter(findings));
  return findings;
}

}  // namespace vmcred::chain
