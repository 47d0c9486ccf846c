// Findings of a libvirt domain. libvirt puts OEM strings on QEMU's command line, into its log and into dumpxml.
#include <algorithm>
#include <cstdlib>

#include "chain/check.h"
#include "chain/oem_strings.h"

namespace vmcred::chain {
namespace {

constexpr std::string_view kWho = "libvirt writes it on the command line, into its log and into 'virsh dumpxml'";

/// The text of an XML value: entities decoded, the rest as it is.
std::string decoded(std::string_view text) {
  struct Entity {
    std::string_view name;
    char letter;
  };
  constexpr Entity kEntities[] = {{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string plain;
  for (std::size_t i = 0; i < text.size();) {
    const auto entity = std::ranges::find_if(kEntities, [&](const Entity& each) { return text.substr(i).starts_with(each.name); });
    if (entity != std::end(kEntities)) {
      plain += entity->letter;
      i += entity->name.size();
    } else {
      plain += text[i++];
    }
  }
  return plain;
}

/// Comments blanked, so that lines stay where they are.
std::string without_comments(std::string_view xml) {
  std::string text(xml);
  for (std::size_t at = text.find("<!--"); at != std::string::npos; at = text.find("<!--", at)) {
    const std::size_t end = std::min(text.find("-->", at), text.size() - std::min<std::size_t>(3, text.size())) + 3;
    for (std::size_t i = at; i < std::min(end, text.size()); ++i)
      if (text[i] != '\n') text[i] = ' ';
  }
  return text;
}

declare::Place place_at(std::string_view text, std::size_t at, const std::string& file) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {.file = file, .line = 1 + static_cast<int>(std::ranges::count(before, '\n')), .column = 1 + static_cast<int>(at - line_start)};
}

/// The quoted value of an attribute in the tag that begins at `tag`.
std::string attribute(std::string_view tag, std::string_view name) {
  const std::size_t at = tag.find(std::string(name) + "=");
  if (at == std::string_view::npos) return {};
  const std::size_t open = at + name.size() + 1;
  if (open >= tag.size()) return {};
  const std::size_t close = tag.find(tag[open], open + 1);
  return close == std::string_view::npos ? std::string() : decoded(tag.substr(open + 1, close - open - 1));
}

std::vector<OpenString> oem_entries(std::string_view text, const std::string& file) {
  std::vector<OpenString> entries;
  for (std::size_t at = text.find("<oemStrings"); at != std::string_view::npos; at = text.find("<oemStrings", at + 1)) {
    const std::size_t end = std::min(text.find("</oemStrings>", at), text.size());
    for (std::size_t entry = text.find("<entry", at); entry < end; entry = text.find("<entry", entry + 1)) {
      const std::size_t open = text.find('>', entry);
      const std::size_t close = text.find("</entry>", entry);
      if (open == std::string_view::npos || close == std::string_view::npos || open > close) break;
      entries.push_back({decoded(text.substr(open + 1, close - open - 1)), place_at(text, entry, file)});
    }
  }
  return entries;
}

std::vector<std::string> passed_through(std::string_view text) {
  std::vector<std::string> words{"qemu"};
  for (std::size_t at = text.find("<qemu:arg "); at != std::string_view::npos; at = text.find("<qemu:arg ", at + 1))
    words.push_back(attribute(text.substr(at, text.find('>', at) - at), "value"));
  return words;
}

bool is_microvm(std::string_view text) {
  const std::size_t at = text.find("<type ");
  return at != std::string_view::npos && attribute(text.substr(at, text.find('>', at) - at), "machine").starts_with("microvm");
}

}  // namespace

std::vector<Finding> check_domain(std::string_view xml, const std::string& file, int systemd) {
  std::vector<Finding> findings;
  const std::string text = without_comments(xml);
  const std::vector<OpenString> entries = oem_entries(text, file);
  judge_strings(entries, Code::secret_in_domain, kWho, findings);
  if (!entries.empty()) judge_amount(entries, systemd, findings);
  if (!entries.empty() && is_microvm(text)) {
    findings.push_back(finding(Code::smbios_ignored, entries.front().place, "QEMU's machine type microvm has no SMBIOS", "use the machine type q35"));
  }
  const std::vector<std::string> words = passed_through(text);
  for (Finding& each : check_command_line(words, file, systemd)) findings.push_back(std::move(each));
  return findings;
}

}  // namespace vmcred::chain
