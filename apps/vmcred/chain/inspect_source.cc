#include "chain/inspect_source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/fd.h"
#include "base/file.h"
#include "credential/limits.h"
#include "credential/listing.h"

namespace vmcred::app {
namespace {

using credential::FoundDump;
using credential::FoundTable;

constexpr std::string_view kItems = "opt/io.systemd.credentials";

void take_table(Inspected& found, FoundTable table) {
  std::ranges::move(table.structures, std::back_inserter(found.structures));
  if (found.complaint.empty()) found.complaint = std::move(table.complaint);
  found.missing += table.missing;
}

Result<> take_dump(Inspected& found, Secret bytes) {
  if (credential::is_credential_list(bytes.text())) {
    found.is_list = true;
    TRY_LET(found.listed, credential::read_credential_list(bytes.text()));
    return {};
  }
  if (credential::is_dmidecode_text(bytes.text())) {
    credential::DmidecodeText text = credential::read_dmidecode_text(bytes.text());
    take_table(found, credential::read_structures(text.table.bytes()));
    if (text.cut) found.complaint = "the text stops in the middle of a line";
    found.bytes.push_back(std::move(text.table));
    return {};
  }
  TRY_LET(FoundDump dump, credential::read_dump(bytes.bytes()));
  if (dump.entry_point) found.smbios = fmt::format("SMBIOS {}.{}", dump.entry_point->major, dump.entry_point->minor);
  take_table(found, std::move(dump.table));
  found.bytes.push_back(std::move(bytes));
  return {};
}

/// Files of sysfs have no size of their own; a descriptor is read to its end.
Result<Secret> read_bytes(const std::string& path) {
  TRY_LET(const Fd fd, open_for_reading(path));
  return read_secret(fd, path, credential::kMaxTable);
}

/// "11-3" -> 3
std::optional<unsigned> instance_of(const std::string& name) {
  constexpr std::string_view kType = "11-";
  if (!name.starts_with(kType)) return std::nullopt;
  unsigned number = 0;
  const char* const end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kType.size(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// /sys/firmware/dmi/entries: one folder for each structure; systemd reads 11-0, 11-1, … until one is missing.
Result<> take_entries(Inspected& found, const std::string& folder, const std::vector<std::string>& names) {
  std::vector<unsigned> numbers;
  for (const std::string& name : names) {
    if (const auto number = instance_of(name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  for (const unsigned number : numbers) {
    TRY_LET(Secret raw, read_bytes(fmt::format("{}/11-{}/raw", folder, number)));
    take_table(found, credential::read_structures(raw.bytes()));
    found.bytes.push_back(std::move(raw));
  }
  return {};
}

/// /sys/firmware/dmi/tables: the entry point and the table are two files.
Result<> take_tables(Inspected& found, const std::string& folder) {
  TRY_LET(const Secret entry_bytes, read_bytes(folder + "/smbios_entry_point"));
  TRY_LET(const auto entry_point, credential::read_entry_point(entry_bytes.bytes()));
  TRY_LET(Secret table, read_bytes(folder + "/DMI"));
  found.smbios = fmt::format("SMBIOS {}.{}", entry_point.major, entry_point.minor);
  take_table(found, credential::read_structures(table.bytes(), entry_point));
  found.bytes.push_back(std::move(table));
  return {};
}

/// `below`: of an item whose name has a '/', which is a folder that systemd does not look into.
Result<> take_items(Inspected& found, const std::string& folder, const std::string& below = {}) {
  constexpr std::size_t kLongest = 56;  // of a fw_cfg name, so that it ends
  TRY_LET(const auto names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    const std::string raw = path + "/raw";
    if (is_folder(path) && !exists(raw)) {
      if (below.size() < kLongest) TRY(take_items(found, path, below + name + "/"));
      continue;
    }
    TRY_LET(const Fd fd, open_for_reading(exists(raw) ? raw : path));
    TRY_LET(Secret value, read_secret(fd, name, credential::kMaxTable));
    found.items.emplace_back(below + name, std::move(value));
  }
  return {};
}

/// QEMU's own item with the SMBIOS tables, before the firmware has placed them. Left out where they were read already.
constexpr std::string_view kTables = "etc/smbios/smbios-tables";
Result<> take_blob(Inspected& found, const std::string& path) {
  if (!found.structures.empty()) return {};
  TRY_LET(Secret table, read_bytes(exists(path + "/raw") ? path + "/raw" : path));
  take_table(found, credential::read_structures(table.bytes()));
  found.bytes.push_back(std::move(table));
  return {};
}

/// /sys/firmware/qemu_fw_cfg/by_key: each item has its name in a file.
Result<> take_keys(Inspected& found, const std::string& folder, const std::vector<std::string>& names) {
  const std::string prefix = std::string(kItems) + "/";
  for (const std::string& key : names) {
    const auto name = read_file(folder + "/" + key + "/name", 4096);
    if (!name) continue;
    std::string_view text = *name;
    while (text.ends_with('\n')) text.remove_suffix(1);
    if (text == kTables) TRY(take_blob(found, folder + "/" + key));
    if (!text.starts_with(prefix)) continue;
    TRY_LET(const Fd fd, open_for_reading(folder + "/" + key + "/raw"));
    TRY_LET(Secret value, read_secret(fd, std::string(text), credential::kMaxTable));
    found.items.emplace_back(text.substr(prefix.size()), std::move(value));
  }
  return {};
}

/// Folders of keys, as the kernel shows them: each has the item's name, its key and its bytes.
bool has_keys(const std::string& folder, const std::vector<std::string>& names) {
  return folder.ends_with("/by_key") || std::ranges::any_of(names, [&](const std::string& name) {
           return exists(folder + "/" + name + "/name") && exists(folder + "/" + name + "/raw");
         });
}

Result<> take_folder(Inspected& found, const std::string& folder) {
  TRY_LET(const auto names, list_folder(folder));
  bool known = false;
  if (std::ranges::any_of(names, [](const std::string& name) { return instance_of(name).has_value(); })) {
    known = true;
    TRY(take_entries(found, folder, names));
  }
  if (exists(folder + "/smbios_entry_point")) {
    known = true;
    TRY(take_tables(found, folder));
  }
  for (const std::string& items : {folder + "/" + std::string(kItems), folder + "/io.systemd.credentials"}) {
    if (!is_folder(items)) continue;
    known = true;
    TRY(take_items(found, items));
  }
  if (!known && folder.ends_with("io.systemd.credentials")) {
    known = true;
    TRY(take_items(found, folder));
  }
  if (!known && has_keys(folder, names)) {
    known = true;
    TRY(take_keys(found, folder, names));
  }
  // /sys/firmware and its two halves; the entries are what systemd reads, so the same tables are not read twice.
  for (const std::string_view below : {"dmi/entries", "entries", "qemu_fw_cfg/by_name", "by_name"}) {
    const std::string inner = folder + "/" + std::string(below);
    if (!is_folder(inner)) continue;
    known = true;
    TRY(take_folder(found, inner));
  }
  for (const std::string_view below : {"qemu_fw_cfg/", ""}) {  // the same items by their keys
    const std::string inner = folder + "/" + std::string(below) + "by_key";
    if (!is_folder(inner) || is_folder(folder + "/" + std::string(below) + "by_name")) continue;
    known = true;
    TRY(take_folder(found, inner));
  }
  if (exists(folder + "/" + std::string(kTables)) || folder.ends_with("/smbios-tables")) {
    known = true;
    TRY(take_blob(found, folder.ends_with("/smbios-tables") ? folder : folder + "/" + std::string(kTables)));
  }
  if (!known && (folder.ends_with("/entries") || folder.ends_with("/by_name"))) known = true;  // empty, and rightly so
  if (!known) {
    return hint(
        fail(Errc::not_found, "'{}' holds neither SMBIOS tables nor fw_cfg credentials", folder),
        "give /sys/firmware, /sys/firmware/dmi/entries, /sys/firmware/dmi/tables or a fw_cfg tree (by_name, by_key)");
  }
  return {};
}

}  // namespace

Result<Inspected> inspect_path(const std::string& path) {
  Inspected found;
  std::string folder = path;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (is_folder(folder)) {
    TRY(take_folder(found, folder));
    return found;
  }
  TRY_LET(Secret bytes, read_bytes(path));
  TRY(in(fmt::format("read '{}'", path), take_dump(found, std::move(bytes))));
  return found;
}

Result<Inspected> inspect_descriptor(int fd) {
  const Fd own(::dup(fd));
  if (!own) return fail_errno("read standard input");
  TRY_LET(Secret bytes, read_secret(own, "standard input", credential::kMaxTable));
  Inspected found;
  TRY(in("read standard input", take_dump(found, std::move(bytes))));
  return found;
}

}  // namespace vmcred::app
