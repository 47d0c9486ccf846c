#include "credential/plan.h"

#include <algorithm>
#include <array>

#include "credential/capability.h"
#include "credential/item.h"
#include "credential/limits.h"
#include "credential/pack.h"
#include "credential/route.h"
#include "declare/words.h"

namespace vmcred::credential {
namespace {

constexpr std::uint16_t kFirstHandle = 0x1100;  // above those of QEMU's own structures

Structure structure_of(std::span<const Item* const> strings, std::size_t index) {
  Structure structure = {.handle = static_cast<std::uint16_t>(kFirstHandle + index), .raw_size = raw_size(strings)};
  for (const Item* item : strings) structure.entries.push_back(item->oem_entry());
  return structure;
}

void fill_channels(Plan& plan, std::span<const Item> items) {
  for (const Item& item : items) {
    if (item.listed) plan.entries.push_back(item.entry);
  }
  const Packing packing = pack(items_of(items, Channel::smbios));
  for (std::size_t i = 0; i < packing.structures.size(); ++i) {
    plan.structures.push_back(structure_of(packing.structures[i], i));
  }
  const auto api = items_of(items, Channel::api);
  if (!api.empty()) plan.structures.push_back(structure_of(api, 0));
  for (const Item* item : items_of(items, Channel::fw_cfg)) {
    plan.fw_cfg.push_back(
        {.guest = item->entry.guest, .host = item->entry.host, .text = item->text, .size = item->entry.size});
  }
  for (const Item* item : items_of(items, Channel::initrd)) plan.initrd.push_back(item->oem_entry());
  for (const Item* item : items_of(items, Channel::reference)) plan.reference.push_back(item->oem_entry());
  for (const Item* item : items_of(items, Channel::kernel_line)) plan.kernel_line.push_back(item->oem_entry());
}

void fill_budgets(Plan& plan, std::span<const Way> ways) {
  const bool one_page = plan.guest_systemd < kFirstWithWholeStructures;
  std::size_t table = 0;
  for (std::size_t i = 0; i < plan.structures.size(); ++i) {
    const std::size_t raw = plan.structures[i].raw_size;
    table += raw;
    const Way& way = ways.front();
    plan.budgets.push_back({fmt::format("structure {}", i + 1), raw, one_page ? kPageStructure : way.total_bytes});
  }
  for (const Way& way : ways) {
    if (way.channel == Channel::smbios && !plan.structures.empty()) {
      plan.budgets.push_back({"SMBIOS structures", table, way.total_bytes});
    }
    if (way.channel == Channel::fw_cfg && !plan.fw_cfg.empty()) {
      plan.budgets.push_back({"fw_cfg items", plan.fw_cfg.size(), way.count});
    }
  }
  std::size_t bytes = 0;
  for (const Entry& entry : plan.entries) {
    if (entry.channel && entry.channel != Channel::reference) bytes += entry.size;
  }
  plan.budgets.push_back({"all credentials", bytes, kMaxCredentials});
}

/// @system is a tmpfs of 256 pages on newer systemd and kernels: the file that is one too many is lost, and with it the
/// rest of its source.
void remark_pages(Plan& plan) {
  if (plan.guest_systemd < kFirstWithPages) return;
  std::size_t pages = 0;
  for (const Entry& entry : plan.entries) {
    if (entry.channel && entry.channel != Channel::reference) pages += (entry.size + kPage - 1) / kPage;
  }
  if (pages <= kMaxPages) return;
  plan.remarks.push_back(
      {.refusal = false,
       .text =
           fmt::format("the credentials need {} pages; systemd {} has {} of them for @system where the kernel is 6.3 "
                       "or later, and loses the rest",
                       pages, plan.guest_systemd, kMaxPages),
       .remedy = "put several values into one credential, or use a kernel before 6.3"});
}

void remark_unit_names(Plan& plan) {
  const std::string unit = fmt::format("microvm@{}.service", plan.vm);
  for (const Entry& entry : plan.entries) {
    if (entry.host.empty() || entry.host == kLinkCredential) continue;
    if (unit.size() + entry.host.size() <= kMaxUnitAndId) continue;
    plan.remarks.push_back(
        {.refusal = false,
         .text =
             fmt::format("'{}' and the unit name '{}' are {} bytes together; above {} systemd cannot load it from a "
                         "socket, only from a file",
                         entry.host, unit, unit.size() + entry.host.size(), kMaxUnitAndId),
         .remedy = {}});
  }
}

void remark_services(Plan& plan, const declare::Vm& vm) {
  for (const auto& [name, service] : vm.services) {
    std::size_t bytes = 0;
    for (const auto& [id, guest] : service.load_credential) {
      const auto entry = std::ranges::find(plan.entries, guest, &Entry::guest);
      if (entry != plan.entries.end()) bytes += id.size() + entry->size;
    }
    if (bytes <= kMaxService) continue;
    plan.remarks.push_back(
        {.refusal = true,
         .text = fmt::format("the credentials of the service '{}' are {} bytes with their names, systemd "
                             "starts it with at most {}",
                             name, bytes, kMaxService),
         .remedy = "give the service fewer of them"});
  }
}

/// What comes by reference needs no import: the agent finds its link by itself.
void remark_import(Plan& plan, const declare::Vm& vm) {
  const bool imports = std::ranges::any_of(plan.entries, [](const Entry& entry) {
    return entry.channel != Channel::reference && entry.host != kLinkCredential;
  });
  if (!imports || !import_is_off(vm.command_line)) return;
  plan.remarks.push_back(
      {.refusal = true,
       .text = "the kernel's command line turns the import of credentials off (systemd.import_credentials)",
       .remedy = "take it out of command-line"});
}

}  // namespace

std::string_view channel_name(Channel channel) {
  static constexpr std::array<std::string_view, 6> kNames = {"smbios", "fw_cfg",    "api",
                                                             "initrd", "reference", "kernel-line"};
  return kNames.at(static_cast<std::size_t>(channel));
}

bool Plan::deliverable() const {
  return std::ranges::all_of(entries, [](const Entry& entry) { return entry.refused.empty(); }) &&
         std::ranges::none_of(remarks, &Remark::refusal);
}

Plan make_plan(const PlanInput& input) {
  const declare::Vm& vm = input.vm;
  Plan plan = {
      .vm = vm.name, .hypervisor = std::string(declare::word(vm.hypervisor)), .guest_systemd = vm.guest.systemd};
  std::vector<Item> items = collect_items(input);
  const std::vector<Way> ways = ways_into(vm, input.vmm_version, input.with_link && input.with_reference);
  route(items, ways, vm.delivery);
  plan.notify_socket = notify_socket_of(input);
  if (!plan.notify_socket.empty() && std::ranges::any_of(items, &Item::refused)) {
    // The guest's own word is an extra: no secret is refused because of its address.
    PlanInput without = input;
    without.own_devices = false;
    return make_plan(without);
  }
  // From here on each item has a channel or is refused.
  fill_channels(plan, items);
  for (const Item& item : items) {
    if (!item.listed && item.refused()) plan.remarks.push_back({true, item.entry.refused, item.entry.remedy});
  }
  fill_budgets(plan, ways);
  if (input.with_link && !has_link(vm)) {
    plan.remarks.push_back(
        {true, fmt::format("{} has no link to the supervisor, so no receipt and no reference", plan.hypervisor),
         "declare guest.agent = false"});
  }
  if (std::string why = too_old(vm, input.vmm_version); !why.empty()) {
    plan.remarks.push_back({true, std::move(why), "install a later version, or name one with binary = \"…\""});
  }
  remark_pages(plan);
  remark_services(plan, vm);
  remark_import(plan, vm);
  remark_unit_names(plan);
  return plan;
}

Result<> check_deliverable(const Plan& plan) {
  std::size_t refusals = 0;
  std::string text;
  std::string remedy;
  const auto add = [&](std::string why, const std::string& what_helps) {
    if (refusals++ == 0) {
      text = std::move(why);
      remedy = what_helps;
    }
  };
  for (const Entry& entry : plan.entries) {
    if (!entry.refused.empty()) add(fmt::format("'{}': {}", entry.guest, entry.refused), entry.remedy);
  }
  for (const Remark& remark : plan.remarks) {
    if (remark.refusal) add(remark.text, remark.remedy);
  }
  if (refusals == 0) return {};
  if (refusals > 1) text += fmt::format(" (and {} more, see 'vmcred vm plan {}')", refusals - 1, plan.vm);
  return hint(fail(Errc::invalid_data, "cannot deliver the credentials of '{}': {}", plan.vm, text), remedy);
}

}  // namespace vmcred::credential
