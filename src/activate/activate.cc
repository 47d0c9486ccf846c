#include "activate/activate.h"

#include <set>

#include "base/spelling.h"
#include "store/named_reader.h"

namespace vmcred::activate {
namespace {

Result<Item> make_item(const Request& request, const store::Wanted& wanted) {
  Item item = {.path = store::rel_path(wanted.id), .mode = wanted.file->mode, .value = {}};
  if (request.early) {
    item.mode = 0400;
    item.value = [&request, id = wanted.id] { return request.repository.read_var(id, request.keys); };
    return item;  // uid and gid 0: nobody else is there yet
  }
  item.value = [&request, id = wanted.id] { return request.repository.read_var(id, request.keys); };
  TRY_LET(item.uid, find_user(wanted.file->owner, request.users));
  TRY_LET(item.gid, find_group(wanted.file->group, request.users));
  return item;
}

/// The vms of the machine that have a credential from one of `paths`.
Result<std::set<std::string>> vms_that_use(const Request& request, const std::set<std::string>& paths) {
  std::set<std::string> vms;
  for (const auto& [name, vm] : request.declaration.vms) {
    if (vm.machine != request.machine) continue;
    for (const declare::Credential& credential : vm.credentials) {
      const auto* const ref = std::get_if<declare::VarRef>(&credential.from);
      if (ref == nullptr) continue;
      TRY_LET(const store::VarId id, store::resolve_for_vm(request.declaration, *ref, vm));
      if (paths.contains(store::rel_path(id))) vms.insert(name);
    }
  }
  return vms;
}

Result<> name_users(const Request& request, const std::vector<store::Wanted>& wanted, Report& report) {
  std::set<std::string> changed;
  for (const Change& change : report.published.changes) changed.insert(change.path);
  std::set<std::string> units;
  for (const store::Wanted& one : wanted) {
    if (changed.contains(store::rel_path(one.id)))
      units.insert(one.file->restart_units.begin(), one.file->restart_units.end());
  }
  TRY_LET(const auto vms, vms_that_use(request, changed));
  report.units.assign(units.begin(), units.end());
  report.vms.assign(vms.begin(), vms.end());
  return {};
}

}  // namespace

Places early_places() { return {.generations = "/run/vmcred-for-users.d", .link = "/run/vmcred/vars-for-users"}; }

Result<Report> activate(const Request& request) {
  if (!request.declaration.machines.contains(request.machine)) {
    std::vector<std::string> known;
    for (const auto& [name, machine] : request.declaration.machines) known.push_back(name);
    return hint(fail(Errc::not_found, "no machine '{}' is declared in '{}'", request.machine, request.declaration.file),
                near_or_known(request.machine, known));
  }
  std::vector<store::Wanted> wanted = store::wanted_on(request.declaration, request.machine);
  if (request.early) std::erase_if(wanted, [](const store::Wanted& one) { return one.file->needed_for != "users"; });
  std::vector<Item> items;
  store::Principals principals(request.repository);
  for (const store::Wanted& one : wanted) {
    auto item = make_item(request, one);
    // An owner that this machine does not have is this var's failure, not everybody's.
    items.push_back(item ? *std::move(item)
                         : Item{.path = store::rel_path(one.id), .value = [error = item.error()]() -> Result<Secret> {
                                  return std::unexpected(error);
                                }});
    items.back().may_stay = [&request, &principals, id = one.id] {
      return store::names_reader(request.repository, principals, id, request.machine);
    };
  }
  std::vector<store::VarId> vars;
  for (const store::Wanted& one : wanted) vars.push_back(one.id);
  store::unlock(request.repository, vars, request.keys);
  Report report;
  TRY_LET(report.published, publish_generation(request.places, items));
  if (!report.published.first) TRY(name_users(request, wanted, report));
  return report;
}

}  // namespace vmcred::activate
