#include "access.h"

#include <algorithm>

#include "base/spelling.h"
#include "run_steps.h"

namespace vmcred::app {

Result<Drifting> drifting_secrets(const Project& project) {
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  Drifting drifting;
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Drift drift, store::drift(project.repository, principals, place.folder));
    if (!drift.added.empty() || !drift.removed.empty()) drifting.folders.insert(place.folder);
    for (const store::BadLink& link : drift.bad) drifting.bad.insert(link.path);
  }
  return drifting;
}

namespace {

/// Works out every secret's new readers and ciphertext in memory, so that what cannot be done is known before anything is.
Result<std::vector<store::PreparedAdjustment>> prepare_all(const Project& project, const Drifting& drifting,
                                                           const NewLinks& links, const World& world) {
  TRY_LET(const store::KeyRing keys, store::KeyRing::of_operator(world.environment));
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  std::vector<store::PreparedAdjustment> changes;
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Acl acl, principals.acl(place.folder));
    TRY_LET(store::Adjustment change,
            store::adjustment(project.repository, principals, place, links ? links(place, acl.links) : std::nullopt));
    std::erase_if(change.bad, [&](const store::BadLink& link) { return drifting.bad.contains(link.path); });
    if (!change.needed()) continue;
    if (drifting.folders.contains(place.folder)) {
      note(world, fmt::format("left alone: {}, whose readers were not those of its links before ('vmcred vars fix')",
                              place.name()));
      continue;
    }
    TRY_LET(store::PreparedAdjustment prepared, prepare(project.repository, principals, keys, change, *world.clock));
    changes.push_back(std::move(prepared));
  }
  return changes;
}

}  // namespace

Result<Touched> bring_in_line(const Project& project, const store::Lock& lock, const Drifting& drifting,
                              const NewLinks& links, const World& world, const Undo& undo) {
  Result<std::vector<store::PreparedAdjustment>> prepared = prepare_all(project, drifting, links, world);
  if (!prepared) {
    if (undo) TRY(in("take the change back", undo()));
    return std::unexpected(std::move(prepared).error());
  }
  Touched touched;
  for (const store::PreparedAdjustment& change : *prepared) {
    TRY(carry_out(project.repository, lock, change));
    touched.folders.push_back(change.place.folder);
    if (change.lost) touched.lost.push_back(change.place);
  }
  if (!prepared->empty())
    note(world, fmt::format("changed the readers of {} secret{}", prepared->size(), prepared->size() == 1 ? "" : "s"));
  return touched;
}

Result<store::SecretPlace> chosen_secret(const std::string& word, const Project& project) {
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  const std::size_t colon = word.find(':');
  const std::string owner = colon == std::string::npos ? std::string() : word.substr(0, colon);
  const std::string name = colon == std::string::npos ? word : word.substr(colon + 1);
  std::vector<store::SecretPlace> fitting;
  std::vector<std::string> known;
  for (const store::SecretPlace& place : places) {
    const std::string own = place.var ? fmt::format("{}/{}", place.var->generator.generator, place.var->file)
                                      : place.folder.substr(place.folder.rfind('/') + 1);
    known.push_back(own);
    if (own != name) continue;
    if (!owner.empty() && (!place.var || place.var->generator.placement.owner != owner)) continue;
    fitting.push_back(place);
  }
  if (fitting.empty()) return hint(fail(Errc::not_found, "there is no secret '{}'", word), did_you_mean(name, known));
  if (fitting.size() > 1)
    return hint(fail(Errc::usage, "'{}' has several owners", word),
                fmt::format("write '{}:{}'", fitting.front().var->generator.placement.owner, name));
  return fitting.front();
}

Result<> after_loss(const Project& project, const store::Lock& lock, const Touched& touched, bool rotate,
                    const World& world) {
  if (touched.lost.empty()) return {};
  std::vector<std::string> names;
  for (const store::SecretPlace& place : touched.lost) names.push_back(place.name());
  if (!rotate) {
    note(world, "could be read until now, and should be rotated (--rotate does it):");
    for (const std::string& name : names) note(world, "  " + name);
    return {};
  }
  TRY_LET(const Overview overview, look_over(project, world));
  std::set<std::size_t> tasks;
  for (const store::SecretPlace& place : touched.lost) {
    if (!place.var) continue;
    const auto task = overview.graph.index.find(place.var->generator);
    if (task != overview.graph.index.end()) tasks.insert(task->second);
  }
  for (const store::SecretPlace& place : touched.lost)
    if (!place.var || !overview.graph.index.contains(place.var->generator))
      note(world, fmt::format("{} is made by no generator: change it by hand", place.name()));
  TRY_LET(const std::vector<generate::Step> steps,
          rotation_plan(overview.graph, overview.statuses, {tasks.begin(), tasks.end()}));
  if (steps.empty()) return {};
  return carry_out(project, overview, steps, lock, {.reuse_answers = false}, world);
}

}  // namespace vmcred::app
