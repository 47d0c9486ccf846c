#include "sources.h"

#include <algorithm>

#include "base/base64.h"
#include "base/file.h"
#include "credentials.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kMaxStructure = 2 * 1024 * 1024;
constexpr std::string_view kText = "io.systemd.credential:";
constexpr std::string_view kBinary = "io.systemd.credential.binary:";

/// Takes "NAME=VALUE" or "NAME:VALUE". The error texts never quote what stands behind the name.
void take_assignment(std::string_view text, char separator, bool binary, link::Source source, const std::string& where,
                     Offers& offers) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) {
    offers.notices.push_back(fmt::format("{}: a credential without '{}' was skipped", where, separator));
    return;
  }
  const std::string name(text.substr(0, at));
  const std::string_view value = text.substr(at + 1);
  if (!is_credential_name(name)) {
    offers.notices.push_back(fmt::format("{}: a credential whose name is not valid was skipped", where));
    return;
  }
  if (!binary) {
    offers.offered.push_back({.name = name, .source = source, .value = Secret::copy_of(value)});
    return;
  }
  auto decoded = base64_decode_secret(without_space(value).text());
  if (!decoded) {
    offers.notices.push_back(fmt::format("{}: credential '{}' is not proper base64", where, name));
    return;
  }
  offers.offered.push_back({.name = name, .source = source, .value = *std::move(decoded)});
}

void read_fw_cfg(const std::string& root, Offers& offers) {
  const std::string folder = join_path(root, "sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials");
  const auto names = list_folder(folder);
  if (!names) return;
  for (const std::string& name : *names) {
    auto value = read_secret(join_path(join_path(folder, name), "raw"), kMaxCredential);
    if (!value) {
      offers.notices.push_back(fmt::format("fw_cfg: credential '{}' cannot be read", name));
      continue;
    }
    offers.offered.push_back({.name = name, .source = link::Source::fw_cfg, .value = *std::move(value)});
  }
}

void read_kernel_line(const std::string& root, Offers& offers) {
  const auto line = read_file(join_path(root, "proc/cmdline"), 64 * 1024);
  if (!line) return;
  std::string_view rest = *line;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    constexpr std::string_view kSet = "systemd.set_credential=";
    constexpr std::string_view kSetBinary = "systemd.set_credential_binary=";
    if (word.starts_with(kSet)) {
      take_assignment(word.substr(kSet.size()), ':', false, link::Source::kernel_line, "the kernel command line",
                      offers);
    } else if (word.starts_with(kSetBinary)) {
      take_assignment(word.substr(kSetBinary.size()), ':', true, link::Source::kernel_line, "the kernel command line",
                      offers);
    }
  }
}

}  // namespace

void read_type11(Bytes raw, const std::string& where, Offers& offers) {
  if (raw.size() < 5 || raw[0] != 11 || raw[1] != 5) {
    offers.notices.push_back(fmt::format("{}: no proper type 11 structure", where));
    return;
  }
  std::string_view rest = text_of(raw.subspan(5));
  while (!rest.empty() && rest.front() != '\0') {  // an empty string ends the structure
    const std::string_view text = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), text.size() + 1));
    if (text.starts_with(kText)) {
      take_assignment(text.substr(kText.size()), '=', false, link::Source::smbios, where, offers);
    } else if (text.starts_with(kBinary)) {
      take_assignment(text.substr(kBinary.size()), '=', true, link::Source::smbios, where, offers);
    }
  }
}

void read_table(Bytes table, Offers& offers) {
  constexpr std::uint8_t kEnd = 127;
  constexpr std::size_t kHeader = 4;
  int found = 0;
  while (table.size() >= kHeader && table[0] != kEnd) {
    const std::size_t formatted = table[1];
    if (formatted < kHeader || formatted > table.size()) break;
    // The strings end with two zeros, also where there is no string at all (SMBIOS 3.6 §6.1.3).
    std::size_t end = formatted;
    while (end + 1 < table.size() && (table[end] != 0 || table[end + 1] != 0)) ++end;
    end = std::min(table.size(), end + 2);
    if (table[0] == 11) read_type11(table.first(end), fmt::format("SMBIOS structure 11-{}", found++), offers);
    table = table.subspan(end);
  }
}

Offers read_offers(const std::string& root) {
  Offers offers;
  read_fw_cfg(root, offers);
  if (!is_folder(join_path(root, "sys/firmware/dmi/entries"))) {
    const auto table = read_secret(join_path(root, "sys/firmware/dmi/tables/DMI"), kMaxStructure);
    if (table) read_table(table->bytes(), offers);
  }
  for (int i = 0;; ++i) {
    const std::string where = fmt::format("SMBIOS structure 11-{}", i);
    const std::string path = join_path(root, fmt::format("sys/firmware/dmi/entries/11-{}/raw", i));
    const auto raw = read_secret(path, kMaxStructure);
    if (!raw) {
      if (raw.error().code != Errc::not_found) offers.notices.push_back(where + ": it cannot be read");
      break;
    }
    read_type11(raw->bytes(), where, offers);
  }
  read_kernel_line(root, offers);
  return offers;
}

}  // namespace vmcred::guest
