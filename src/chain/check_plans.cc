// Findings of the delivery plan: what the declared guest and hypervisor cannot carry.
#include <algorithm>

#include "chain/check.h"
#include "chain/sizes.h"
#include "credential/capability.h"
#include "credential/plan.h"
#include "declare/words.h"

namespace vmcred::chain {
namespace {

std::vector<std::string> table_of(const credential::Plan& plan) {
  std::vector<std::string> lines;
  for (const credential::Budget& budget : plan.budgets)
    lines.push_back(fmt::format("{}: {} of {} bytes", budget.what, budget.used, budget.allowed));
  return lines;
}

const declare::Credential* credential_of(const declare::Vm& vm, std::string_view guest) {
  const auto found = std::ranges::find(vm.credentials, guest, &declare::Credential::guest);
  return found == vm.credentials.end() ? nullptr : &*found;
}

void add_plan(const declare::Vm& vm, const credential::Plan& plan, std::vector<Finding>& findings) {
  for (const credential::Entry& entry : plan.entries) {
    if (entry.refused.empty()) continue;
    const declare::Credential* credential = credential_of(vm, entry.guest);
    Finding each = finding(Code::over_budget, credential == nullptr ? vm.place : credential->place,
                           fmt::format("vm '{}': credential '{}' cannot be delivered: {}", vm.name, entry.name, entry.refused), entry.remedy);
    each.details = table_of(plan);
    findings.push_back(std::move(each));
  }
  for (const credential::Remark& remark : plan.remarks) {
    if (!remark.refusal && remark.text.find("from a socket") != std::string::npos) continue;  // check_sources knows what it is
    Finding each = finding(remark.refusal ? Code::over_budget : Code::plan_remark, vm.place,
                           fmt::format("vm '{}': {}", vm.name, remark.text), remark.remedy);
    if (remark.refusal) each.details = table_of(plan);
    findings.push_back(std::move(each));
  }
}

}  // namespace

std::vector<Finding> check_plans(const declare::Declaration& declaration, const store::Repository* repository) {
  std::vector<Finding> findings;
  Sizes known(repository);
  for (const auto& [name, vm] : declaration.vms) {
    if (vm.credentials.empty()) continue;
    const auto ways = credential::ways_into(vm, "", vm.guest.agent);
    if (std::ranges::none_of(ways, &credential::Way::open)) {
      Finding each = finding(Code::no_channel, vm.place,
                             fmt::format("vm '{}': {} has no way to deliver credentials to this guest", name, declare::word(vm.hypervisor)));
      for (const credential::Way& way : ways) each.details.push_back(fmt::format("{}: {}", credential::channel_name(way.channel), way.closed));
      if (!ways.empty()) each.hint = ways.front().remedy;
      findings.push_back(std::move(each));
      continue;
    }
    const auto sizes = known.of(declaration, vm);
    add_plan(vm, credential::make_plan({.vm = vm, .sizes = sizes, .with_link = vm.guest.agent, .with_reference = vm.guest.agent}), findings);
  }
  return findings;
}

}  // namespace vmcred::chain
