#include "chain/explain/marks.h"

#include <algorithm>
#include <tuple>

namespace vmcred::chain::explain {
namespace {

Step step_of(Code code) {
  switch (code) {
    case Code::open_mode:
    case Code::not_generated:
    case Code::stale:
    case Code::orphaned:
    case Code::due:
    case Code::recipients_drifted:
    case Code::open_secret:
    case Code::plaintext_in_tree:
    case Code::damaged:
      return Step::store;
    case Code::not_loaded:
    case Code::not_injected:
    case Code::no_host_prefix:
    case Code::socket_name_too_long:
    case Code::readable_source:
      return Step::host;
    case Code::over_budget:
    case Code::no_channel:
    case Code::plan_remark:
      return Step::channel;
    case Code::collision:
    case Code::reserved_name:
    case Code::bad_name:
      return Step::guest;
    case Code::wrong_guest_name:
    case Code::unconsumed:
      return Step::service;
    default:
      return Step::generator;
  }
}

/// Places are compared as they are printed; one without line and pointer stands for nothing.
using Key = std::tuple<std::string, int, int, std::string>;
Key key_of(const declare::Place& place) { return {place.file, place.line, place.column, place.pointer}; }

/// The chain at `index` of `vm`; kWholeVm: the vm itself.
struct Target {
  std::size_t vm = 0;
  std::size_t index = 0;
};
constexpr std::size_t kWholeVm = static_cast<std::size_t>(-1);

/// Which chains each place of the declaration belongs to.
class Index {
 public:
  Index(const declare::Declaration& declaration, const Picture& picture) {
    for (std::size_t i = 0; i < picture.vms.size(); ++i) {
      const Chains& vm = picture.vms[i];
      const declare::Vm& declared = declaration.vms.at(vm.vm);
      add(declared.place, {i, kWholeVm});
      for (const auto& [name, service] : declared.services) add_service(service, vm, i);
      add_lists(declared.long_form, vm, i);
      for (std::size_t k = 0; k < vm.chains.size(); ++k) add_chain(declaration, declared, vm.chains[k], {i, k});
    }
  }
  [[nodiscard]] const std::vector<Target>* at(const declare::Place& place) const {
    const auto found = targets_.find(key_of(place));
    return found == targets_.end() ? nullptr : &found->second;
  }

 private:
  void add(const declare::Place& place, Target target) {
    if (place.line > 0 || !place.pointer.empty()) targets_[key_of(place)].push_back(target);
  }
  void add_chain(const declare::Declaration& declaration, const declare::Vm& vm, const Chain& chain, Target target) {
    const auto credential = std::ranges::find(vm.credentials, chain.guest, &declare::Credential::guest);
    if (credential != vm.credentials.end()) add(credential->place, target);
    const auto generator = declaration.generators.find(chain.generator);
    if (generator == declaration.generators.end()) return;
    add(generator->second.place, target);
    const auto file = generator->second.files.find(chain.file);
    if (file == generator->second.files.end()) return;
    add(file->second.place, target);
    add(file->second.mode_place, target);
  }
  void add_service(const declare::GuestService& service, const Chains& vm, std::size_t index) {
    for (std::size_t i = 0; i < std::min(service.places.size(), service.load_credential.size()); ++i) {
      const auto chain = std::ranges::find(vm.chains, service.load_credential[i].second, &Chain::guest);
      const bool loose = chain == vm.chains.end();
      add(service.places[i], {index, loose ? kWholeVm : static_cast<std::size_t>(chain - vm.chains.begin())});
    }
  }
  void add_lists(const declare::LongForm& lists, const Chains& vm, std::size_t index) {
    const auto add_host = [&](const std::string& host, const declare::Place& place) {
      const auto chain = std::ranges::find(vm.chains, host, &Chain::host);
      add(place, {index, chain == vm.chains.end() ? kWholeVm : static_cast<std::size_t>(chain - vm.chains.begin())});
    };
    for (std::size_t i = 0; i < std::min(lists.places.size(), lists.load_credential.size()); ++i)
      add_host(lists.load_credential[i].first, lists.places[i]);
    for (std::size_t i = 0; i < std::min(lists.credential_files_places.size(), lists.credential_files.size()); ++i)
      add_host(lists.credential_files[i], lists.credential_files_places[i]);
  }

  std::map<Key, std::vector<Target>> targets_ = {};
};

bool about(const Finding& finding, const Chain& chain) {
  return finding.subject.empty() || chain.var == finding.subject || chain.var.starts_with(finding.subject + "/");
}

}  // namespace

void place_findings(const declare::Declaration& declaration, std::vector<Finding> findings, Picture& picture) {
  const Index index(declaration, picture);
  const bool whole = picture.vms.size() == declaration.vms.size();
  for (Finding& each : findings) {
    const std::size_t number = picture.findings.size();
    bool placed = false;
    const std::vector<Target>* targets = index.at(each.place);
    for (const Target& target : targets == nullptr ? std::vector<Target>() : *targets) {
      Chains& vm = picture.vms[target.vm];
      if (target.index == kWholeVm) {
        vm.findings.push_back(number);
        placed = true;
      } else if (about(each, vm.chains[target.index])) {
        auto& marks = vm.chains[target.index].marks;
        // One place may lead to a chain twice (its own line is its generator's, too).
        if (marks.empty() || marks.back().finding != number) marks.push_back({number, step_of(each.code)});
        placed = true;
      }
    }
    if (!placed && !whole) continue;
    if (!placed) picture.elsewhere.push_back(number);
    picture.findings.push_back(std::move(each));
  }
}

}  // namespace vmcred::chain::explain
