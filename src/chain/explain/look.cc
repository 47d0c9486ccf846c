// What `explain` looks up: the store without any key, what is activated on this machine, and sources that are files.
#include <algorithm>

#include "base/file.h"
#include "chain/explain/picture.h"
#include "chain/sizes.h"
#include "generate/graph.h"
#include "generate/survey.h"
#include "store/access.h"

namespace vmcred::chain::explain {
namespace {

/// The state of every generator that the graph holds; none for a declaration whose graph cannot be drawn.
std::map<store::GeneratorId, generate::Status> statuses_of(const declare::Declaration& declaration,
                                                           const store::Repository& repository, const Clock& clock) {
  std::map<store::GeneratorId, generate::Status> all;
  const auto graph = generate::build_graph(declaration);
  if (!graph) return all;
  std::vector<generate::Status> statuses = generate::survey(*graph, repository, clock);
  for (std::size_t i = 0; i < statuses.size(); ++i) all[graph->tasks[i].id] = std::move(statuses[i]);
  return all;
}

std::vector<std::string> readers_of(store::Principals& principals, const store::VarId& id) {
  std::vector<std::string> names;
  const auto acl = principals.acl("vars/" + store::rel_path(id));
  if (!acl) return names;
  for (const store::Kind kind : {store::Kind::machine, store::Kind::user, store::Kind::group})
    for (const std::string& name : acl->links.of(kind))
      names.push_back(fmt::format("{} {}", store::singular(kind), name));
  return names;
}

std::string made_of(const generate::Status& status, const std::string& file) {
  if (!status.record) return {};
  const auto by_hand = status.record->set_by_hand.find(file);
  return by_hand == status.record->set_by_hand.end() ? status.record->generated : by_hand->second;
}

struct Looking {
  const store::Repository& repository;
  const activate::Places& places;
  std::map<store::GeneratorId, generate::Status> statuses;
  store::Principals principals;
  Sizes sizes;
};

SeenVar look_at(Looking& looking, const store::VarId& id, bool anything_activated) {
  SeenVar seen;
  seen.form = looking.repository.form(id);
  seen.size = looking.sizes.of(id);
  if (anything_activated) seen.activated = exists(join_path(looking.places.link, store::rel_path(id)));
  if (seen.form == store::Form::secret) seen.readers = readers_of(looking.principals, id);
  const auto status = looking.statuses.find(id.generator);
  if (!seen.form) {
    seen.state = word(generate::State::missing);
  } else if (status != looking.statuses.end()) {
    // A generator some of whose files exist: this one does.
    const bool partial = status->second.state == generate::State::partial;
    seen.state = word(partial ? generate::State::fresh : status->second.state);
    seen.reasons = status->second.reasons;
    seen.due = status->second.due;
    seen.made = made_of(status->second, id.file);
  }
  return seen;
}

}  // namespace

Result<Seen> look(const declare::Declaration& declaration, const store::Repository& repository, const Clock& clock,
                  const activate::Places& places) {
  Seen seen;
  // Somebody else's folder says nothing about this machine, which is what an empty generation means.
  if (const auto present = activate::present_generation(places)) seen.generation = *present;
  Looking looking{repository, places, statuses_of(declaration, repository, clock), store::Principals(repository),
                  Sizes(&repository, places.link)};
  for (const auto& [name, vm] : declaration.vms) {
    for (const declare::Credential& credential : vm.credentials) {
      if (const auto* path = std::get_if<std::string>(&credential.from)) {
        if (const auto size = size_of_file(*path)) seen.files[*path] = *size;
      }
      const auto* ref = std::get_if<declare::VarRef>(&credential.from);
      if (ref == nullptr) continue;
      const auto id = store::resolve_for_vm(declaration, *ref, vm);
      if (id && !seen.vars.contains(*id)) seen.vars[*id] = look_at(looking, *id, seen.generation.has_value());
    }
  }
  return seen;
}

}  // namespace vmcred::chain::explain
