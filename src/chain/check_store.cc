// Findings of the store, without any key.
#include <algorithm>
#include <set>

#include "chain/check.h"
#include "store/layout.h"
#include "store/record.h"
#include "store/vault.h"

namespace vmcred::chain {
namespace {

declare::Place place_of(const declare::Declaration& declaration, const store::VarId& id) {
  const auto generator = declaration.generators.find(id.generator.generator);
  if (generator == declaration.generators.end()) return {.file = declaration.file};
  const auto file = generator->second.files.find(id.file);
  return file == generator->second.files.end() ? generator->second.place : file->second.place;
}

std::string generate_command(const store::VarId& id) { return fmt::format("run 'vmcred vars generate -g {}'", id.generator.generator); }

// Pitfall 4.
void check_missing(const declare::Declaration& declaration, const store::Repository& repository, std::vector<Finding>& findings) {
  for (const store::VarId& id : store::missing(repository, declaration)) {
    findings.push_back(finding(Code::not_generated, place_of(declaration, id),
                               fmt::format("{} was never generated", store::spoken(id)), generate_command(id)));
  }
}

Result<> check_orphans(const declare::Declaration& declaration, const store::Repository& repository,
                       const std::vector<store::Wanted>& wanted, std::vector<Finding>& findings) {
  std::set<store::VarId> declared;
  for (const store::Wanted& each : wanted) declared.insert(each.id);
  TRY_LET(const auto stored, repository.list());
  for (const store::VarId& id : stored) {
    if (declared.contains(id)) continue;
    declare::Place place = place_of(declaration, id);
    if (place.line == 0 && place.pointer.empty()) place = {.file = "vars/" + store::rel_path(id)};
    findings.push_back(finding(Code::orphaned, std::move(place), fmt::format("{} is stored and not declared", store::spoken(id)),
                               "declare it, or remove it with 'vmcred vars prune'"));
  }
  return {};
}

Result<> check_value(const declare::Declaration& declaration, const store::Repository& repository, store::Principals& principals,
                     const store::Wanted& each, std::vector<Finding>& findings) {
  const auto form = repository.form(each.id);
  if (!form) return {};
  const declare::Place place = place_of(declaration, each.id);
  if (each.file->secret && *form == store::Form::open) {
    findings.push_back(finding(Code::open_secret, place, fmt::format("{} is a secret, and stored as plain text", store::spoken(each.id)),
                               fmt::format("the value is in git for good: {} --regenerate", generate_command(each.id))));
    return {};
  }
  if (*form == store::Form::open) return {};
  TRY_LET(const store::Drift drift, store::drift(repository, principals, "vars/" + store::rel_path(each.id)));
  if (drift.none()) return {};
  Finding found = finding(Code::recipients_drifted, place,
                          fmt::format("{}: who can decrypt it is not who its links name", store::spoken(each.id)),
                          "look who it is, then run 'vmcred vars fix'");
  for (const store::PublicKey& key : drift.added) found.details.push_back(fmt::format("should read it and cannot: {}", key.text));
  for (const store::PublicKey& key : drift.removed) found.details.push_back(fmt::format("can read it and should not: {}", key.text));
  for (const store::BadLink& link : drift.bad) found.details.push_back(fmt::format("grants nothing: {} {}", link.path, link.reason));
  findings.push_back(std::move(found));
  return {};
}

// Age counts from the generator's last run, or from the youngest value that was set by hand.
Result<> check_due(const store::Repository& repository, const declare::Generator& generator, SystemTime now,
                   std::vector<Finding>& findings) {
  if (!generator.rotate_after) return {};
  for (const store::Placement& placement : store::placements(generator)) {
    const store::GeneratorId id{placement, generator.name};
    TRY_LET(const auto record, store::read_record(repository, id));
    if (!record) continue;
    auto made = parse_rfc3339(record->generated);
    if (!made) continue;
    for (const auto& [file, when] : record->set_by_hand)
      if (const auto set = parse_rfc3339(when); set && *set > *made) made = *set;
    if (now - *made < *generator.rotate_after) continue;
    const auto days = std::chrono::duration_cast<std::chrono::days>(now - *made).count();
    findings.push_back(finding(Code::due, generator.place,
                               fmt::format("{} is {} days old, and due after {}", store::spoken(id), days, generator.rotate_after->count()),
                               fmt::format("run 'vmcred vars rotate -g {}'", generator.name)));
  }
  return {};
}

}  // namespace

Result<std::vector<Finding>> check_store(const declare::Declaration& declaration, const store::Repository& repository, SystemTime now) {
  std::vector<Finding> findings;
  check_missing(declaration, repository, findings);
  const std::vector<store::Wanted> wanted = store::wanted(declaration);
  TRY(check_orphans(declaration, repository, wanted, findings));
  store::Principals principals(repository);
  for (const store::Wanted& each : wanted) TRY(check_value(declaration, repository, principals, each, findings));
  for (const auto& [name, generator] : declaration.generators) TRY(check_due(repository, generator, now, findings));
  return findings;
}

}  // namespace vmcred::chain
