#include "chain/oem_strings.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "chain/kernel_line.h"
#include "credential/examine.h"
#include "credential/limits.h"
#include "credential/oem_string.h"
#include "shape/secret_shape.h"

namespace vmcred::chain {

void judge_strings(const std::vector<OpenString>& strings, Code code, std::string_view where,
                   std::vector<Finding>& findings) {
  for (const OpenString& each : strings) {
    if (!each.in_clear) continue;
    const auto credential = credential::read_credential_string(each.text);
    if (!credential) {
      bool kernel = false;  // words that systemd-stub and systemd-boot add to the kernel's line
      for (const std::string_view more :
           {"io.systemd.stub.kernel-cmdline-extra=", "io.systemd.boot.kernel-cmdline-extra="}) {
        if (!each.text.starts_with(more)) continue;
        judge_kernel_line(std::string_view(each.text).substr(more.size()), each.place, code, findings);
        kernel = true;
      }
      if (kernel) continue;
      if (const auto what = shape::looks_like_secret(each.text))
        findings.push_back(finding(code, each.place,
                                   fmt::format("an OEM string looks like a secret ({}); {}", *what, where),
                                   "deliver it with vmcred, which uses descriptors alone"));
      continue;
    }
    const bool binary = credential->form == credential::Form::binary;
    const auto what = shape::looks_like_secret(credential->value, credential->name);
    Finding found = finding(
        code, each.place, fmt::format("the value of the credential '{}' stands in clear; {}", credential->name, where),
        "deliver it with vmcred, which uses descriptors alone");
    if (!binary && !what) {
      found.level = Level::note;
      found.hint = "it does not look secret; if it is, deliver it with vmcred";
    }
    findings.push_back(std::move(found));
  }
}

void judge_amount(const std::vector<OpenString>& strings, int systemd, std::vector<Finding>& findings) {
  std::size_t bytes = credential::kStructureOverhead;
  for (const OpenString& each : strings) bytes += each.text.size() + 1;
  if (systemd < credential::kFirstWithWholeStructures && bytes > credential::kPageStructure) {
    findings.push_back(finding(
        Code::too_much_for_a_page, strings.front().place,
        fmt::format("the OEM strings take {} bytes of one structure; systemd {} reads {} and drops the rest silently",
                    bytes, systemd, credential::kPageStructure),
        "vmcred packs them into several structures; or use systemd 257 in the guest (--systemd 257)"));
  } else if (strings.size() > credential::kMaxStrings) {
    findings.push_back(finding(
        Code::too_much_for_a_page, strings.front().place,
        fmt::format("{} OEM strings in one structure, which counts to {}", strings.size(), credential::kMaxStrings),
        "vmcred packs them into several structures"));
  }
}

namespace {

constexpr std::string_view kItems = "opt/io.systemd.credentials/";
constexpr std::string_view kMend = "mend it, or let vmcred deliver it: 'vmcred exec --vm NAME -- COMMAND…'";

/// All strings as type-11 structures, which have 255 each. An empty one would end its structure.
std::string structures_of(const std::vector<OpenString>& all, std::vector<std::size_t>& order) {
  std::string bytes;
  std::string texts;
  std::size_t count = 0;
  char handle = 0;
  const auto finish = [&] {
    if (count == 0) return;
    bytes += {'\x0b', '\x05', handle++, '\0', static_cast<char>(count)};
    bytes += texts + '\0';
    texts.clear();
    count = 0;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].text.empty() || all[i].text.contains('\0')) continue;
    texts += all[i].text + '\0';
    order.push_back(i);
    if (++count == credential::kMaxStrings) finish();
  }
  finish();
  return bytes;
}

/// Meant as a credential, and none: " io.systemd.credential:A=x", "io.systemd.credentials:A=x".
bool nearly(std::string_view text) {
  constexpr std::string_view kBegin = "io.systemd.cred";
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text.size() - begin < kBegin.size()) return false;
  return std::ranges::equal(text.substr(begin, kBegin.size()), kBegin,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

std::string lost(const credential::SeenString& seen, const OpenString& given, bool item_twice) {
  constexpr std::string_view kMust = "it must begin with 'io.systemd.credential:' or 'io.systemd.credential.binary:'";
  if (seen.fate == credential::Fate::ignored) {
    return fmt::format(
        "an OEM string is nearly a credential, and systemd ignores it: {}{}", kMust,
        given.text.starts_with("io") || given.text.starts_with("IO") ? "" : ", with no white space before that");
  }
  if (seen.kind == credential::Kind::other) return fmt::format("systemd drops a credential: {}", seen.why);
  if (item_twice) return fmt::format("QEMU does not start with two fw_cfg items of one name, '{}'", seen.name);
  return fmt::format("systemd drops the credential '{}': {}", seen.name, seen.why);
}

}  // namespace

void judge_arrival(const std::vector<OpenString>& strings, const std::vector<OpenString>& items,
                   std::vector<Finding>& findings) {
  std::vector<OpenString> all = items;
  all.insert(all.end(), strings.begin(), strings.end());
  std::vector<std::size_t> order;
  const std::string bytes = structures_of(all, order);
  const credential::FoundTable table = credential::read_structures(bytes_of(bytes));
  const auto seen = credential::examine(table.structures, credential::kFirstWithWholeStructures);
  std::set<std::string> names;  // of items
  for (std::size_t i = 0; i < std::min(seen.size(), order.size()); ++i) {
    const OpenString& each = all[order[i]];
    const bool item_twice = order[i] < items.size() && !names.insert(seen[i].name).second;
    if (seen[i].fate == credential::Fate::imported || (seen[i].fate == credential::Fate::ignored && !nearly(each.text)))
      continue;
    findings.push_back(finding(Code::lost_credential, each.place, lost(seen[i], each, item_twice), std::string(kMend)));
  }
}

std::optional<std::string> item_as_string(std::string_view item, std::string_view text) {
  if (!item.starts_with(kItems)) return {};
  return fmt::format("{}{}={}", credential::kTextPrefix, item.substr(kItems.size()), text);
}

void judge_item_name(std::string_view item, const declare::Place& place, std::vector<Finding>& findings) {
  if (!item.starts_with(kItems)) {
    if (item.contains("io.systemd.cred"))
      findings.push_back(finding(
          Code::lost_credential, place,
          fmt::format(
              "the fw_cfg item '{}' is nearly a credential, and systemd does not look there: it must be '{}NAME'", item,
              kItems),
          std::string(kMend)));
    return;
  }
  const std::string_view name = item.substr(kItems.size());
  if (name.size() <= credential::kMaxFwCfgName) return;
  findings.push_back(
      finding(Code::fw_cfg_name_too_long, place,
              fmt::format("the name '{}' is {} bytes, fw_cfg takes {}", name, name.size(), credential::kMaxFwCfgName),
              "use a shorter name, or SMBIOS"));
}

}  // namespace vmcred::chain
