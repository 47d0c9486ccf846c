// Findings of the delivery plan: what the declared guest and hypervisor cannot carry.
#include <algorithm>
#include <array>
#include <functional>

#include "chain/check.h"
#include "chain/sizes.h"
#include "credential/capability.h"
#include "credential/plan.h"
#include "declare/words.h"

namespace vmcred::chain {
namespace {

constexpr std::size_t kMostRows = 12;  // of the table: the largest credentials

/// Columns as wide as their widest cell; the first to the left, numbers to the right.
std::vector<std::string> aligned(const std::vector<std::array<std::string, 4>>& rows) {
  std::array<std::size_t, 4> widths{};
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::vector<std::string> lines;
  for (const auto& row : rows)
    lines.push_back(fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}", row[0], widths[0], row[1], widths[1], row[2],
                                widths[2], row[3], widths[3]));
  return lines;
}

/// The bytes that each credential uses, the largest first, and how full what carries them is.
std::vector<std::string> table_of(const credential::Plan& plan) {
  std::vector<const credential::Entry*> entries;
  for (const credential::Entry& entry : plan.entries) entries.push_back(&entry);
  std::ranges::stable_sort(entries, std::greater(), &credential::Entry::bytes_used);
  std::vector<std::array<std::string, 4>> rows = {{"credential", "channel", "used", "allowed"}};
  for (const credential::Entry* entry : entries) {
    if (rows.size() > kMostRows) break;
    rows.push_back({entry->guest, entry->channel ? std::string(credential::channel_name(*entry->channel)) : "refused",
                    entry->size_known ? std::to_string(entry->bytes_used) : "?", std::to_string(entry->bytes_allowed)});
  }
  if (entries.size() > kMostRows) rows.push_back({fmt::format("({} more)", entries.size() - kMostRows), "", "", ""});
  for (const credential::Budget& budget : plan.budgets)
    rows.push_back({budget.what, "", std::to_string(budget.used), std::to_string(budget.allowed)});
  return aligned(rows);
}

const declare::Credential* credential_of(const declare::Vm& vm, std::string_view guest) {
  const auto found = std::ranges::find(vm.credentials, guest, &declare::Credential::guest);
  return found == vm.credentials.end() ? nullptr : &*found;
}

void add_plan(const declare::Vm& vm, const credential::Plan& plan, std::vector<Finding>& findings) {
  for (const credential::Entry& entry : plan.entries) {
    if (entry.refused.empty()) continue;
    const declare::Credential* credential = credential_of(vm, entry.guest);
    Finding each =
        finding(Code::over_budget, credential == nullptr ? vm.place : credential->place,
                fmt::format("vm '{}': credential '{}' cannot be delivered: {}", vm.name, entry.name, entry.refused),
                entry.remedy);
    each.details = table_of(plan);
    findings.push_back(std::move(each));
  }
  for (const credential::Remark& remark : plan.remarks) {
    if (!remark.refusal && remark.text.find("from a socket") != std::string::npos)
      continue;  // check_sources knows what it is
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
                             fmt::format("vm '{}': {} has no way to deliver credentials to this guest", name,
                                         declare::word(vm.hypervisor)));
      for (const credential::Way& way : ways)
        each.details.push_back(fmt::format("{}: {}", credential::channel_name(way.channel), way.closed));
      if (!ways.empty()) each.hint = ways.front().remedy;
      findings.push_back(std::move(each));
      continue;
    }
    const auto sizes = known.of(declaration, vm);
    add_plan(vm,
             credential::make_plan(
                 {.vm = vm, .sizes = sizes, .with_link = vm.guest.agent, .with_reference = vm.guest.agent}),
             findings);
  }
  return findings;
}

}  // namespace vmcred::chain
