#include "chain/doctor/versions.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "chain/doctor/doctor.h"

namespace vmcred::chain::doctor {
namespace {

constexpr std::size_t kMaxFirmware = 16UL * 1024 * 1024;
constexpr Version kFirstPathOption{5, 2, 0};
constexpr Version kFirstCleanPath{10, 0, 0};
constexpr Version kDebianCleanPath{7, 2, 18};
constexpr Version kFirstWideEntryPoint{8, 1, 0};  ///< QEMU: 64-bit by default, from 9.0 on where the table needs it
constexpr Version kFirstCleanSeabios{1, 17, 0};
constexpr Version kFirstCloudHypervisor{26, 0, 0};
constexpr int kFirstWithCredentials = 247;
constexpr int kFirstWithEncrypted = 250;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// A version that begins at `at`: at least two numbers with a dot between.
std::optional<Version> version_at(std::string_view text, std::size_t at) {
  Version version = {};
  std::size_t numbers = 0;
  const char* begin = text.data() + at;
  const char* const end = text.data() + text.size();
  while (numbers < version.size()) {
    const auto [next, error] = std::from_chars(begin, end, version.at(numbers));
    if (error != std::errc()) break;
    ++numbers;
    begin = next;
    if (begin == end || *begin != '.') break;
    ++begin;
  }
  if (numbers < 2) return {};
  return version;
}

/// The number behind the last "ubuntu1." of Ubuntu's revision, or 0.
unsigned ubuntu_revision(std::string_view banner) {
  constexpr std::string_view kMark = "8.2.2+ds-0ubuntu1.";
  const std::size_t at = banner.find(kMark);
  unsigned revision = 0;
  if (at != std::string_view::npos)
    std::from_chars(banner.data() + at + kMark.size(), banner.data() + banner.size(), revision);
  return revision;
}

Finding trap(const std::string& who, std::string message, std::string hint, Level level = Level::warning) {
  Finding found = finding(Code::version_trap, {.file = who}, std::move(message), std::move(hint));
  found.level = level;
  return found;
}

std::string banner_of(const Doors& doors, const std::string& program) {
  const auto output = doors.run({program, "--version"});
  return output && output->status.ok() ? std::string(first_line(output->out)) : "";
}

}  // namespace

std::optional<Version> find_version(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!digit(text[i]) || (i > 0 && (digit(text[i - 1]) || text[i - 1] == '.'))) continue;
    if (const auto version = version_at(text, i)) return version;
  }
  return {};
}

std::string version_text(const Version& version) { return fmt::format("{}.{}.{}", version[0], version[1], version[2]); }

std::optional<Version> seabios_version(std::string_view image) {
  for (std::size_t at = image.find("1.1"); at != std::string_view::npos; at = image.find("1.1", at + 1)) {
    const bool alone = at == 0 || image[at - 1] == '\0' || (at >= 4 && image.substr(at - 4, 4) == "rel-");
    const std::size_t end = image.find_first_not_of("0123456789.", at);
    if (!alone || end == std::string_view::npos || (image[end] != '-' && image[end] != '\0')) continue;
    if (const auto version = version_at(image, at)) return version;
  }
  return {};
}

bool has_path_overrun(std::string_view banner) {
  const auto version = find_version(banner);
  if (!version || *version < kFirstPathOption || *version >= kFirstCleanPath) return false;
  if ((*version)[0] == 7 && (*version)[1] == 2) return *version < kDebianCleanPath;
  return ubuntu_revision(banner) < 11;
}

std::vector<Finding> judge_program(const Program& program) {
  std::vector<Finding> findings;
  const auto version = find_version(program.banner);
  if (!version) return findings;
  if (program.name.starts_with("qemu") && has_path_overrun(program.banner)) {
    findings.push_back(
        trap(program.name,
             fmt::format("QEMU {} reads past the end of what -smbios type=11,path= names", version_text(*version)),
             "use -smbios file= with whole structures, as vmcred does; mended in 7.2.18, in Ubuntu's "
             "8.2.2+ds-0ubuntu1.11 and in 10.0",
             Level::note));
  }
  if (program.name == "cloud-hypervisor" && *version < kFirstCloudHypervisor) {
    findings.push_back(trap(
        program.name,
        fmt::format("cloud-hypervisor {} has no oem_strings, so it delivers no credential", version_text(*version)),
        "install version 26 or later"));
  }
  return findings;
}

std::vector<Finding> judge_firmware(std::string_view qemu_banner, const Version& seabios) {
  const auto qemu = find_version(qemu_banner);
  if (!qemu || *qemu < kFirstWideEntryPoint || seabios >= kFirstCleanSeabios) return {};
  // vmcred's own tables stay below 64 KiB, so this is advice for command lines of others.
  return {trap("SeaBIOS",
               fmt::format("SeaBIOS {} cuts an SMBIOS table of more than 64 KiB without a word where its entry point "
                           "is of 64 bits, which QEMU {} chooses by itself",
                           version_text(seabios), version_text(*qemu)),
               "keep the table below 65,535 bytes, as vmcred does, or use SeaBIOS 1.17", Level::note)};
}

std::vector<Finding> judge_systemd(int version) {
  if (version == 0 || version >= kFirstWithEncrypted) return {};
  if (version < kFirstWithCredentials)
    return {trap("systemd", fmt::format("systemd {} has no LoadCredential=", version),
                 "use a host with systemd 250 or later")};
  return {trap("systemd", fmt::format("systemd {} has no LoadCredentialEncrypted=", version),
               "keep the machine's key in /var/lib/vmcred/key.txt, mode 0400", Level::note)};
}

std::vector<Finding> examine_versions(const Doors& doors, const std::string& search_path,
                                      const std::vector<std::string>& hypervisors) {
  std::vector<Finding> findings = judge_systemd(host_systemd_version(doors));
  std::vector<std::string> programs = {"qemu-system-x86_64", "cloud-hypervisor"};
  for (const std::string& each : hypervisors) {
    if (std::ranges::find(programs, each) == programs.end()) programs.push_back(each);
    if (find_program(each, search_path)) continue;
    findings.push_back(finding(Code::version_trap, {.file = each},
                               fmt::format("there is no '{}', and a declared vm runs with it", each), "install it"));
  }
  std::string qemu;
  for (const std::string& each : programs) {
    const std::string banner = banner_of(doors, each);
    if (each.starts_with("qemu") && qemu.empty()) qemu = banner;
    for (Finding& found : judge_program({each, banner})) findings.push_back(std::move(found));
  }
  if (qemu.empty()) return findings;
  for (const char* const image : {"/usr/share/seabios/bios-256k.bin", "/usr/share/qemu/bios-256k.bin"}) {
    const auto bytes = read_file(doors.at(image), kMaxFirmware);
    const auto version = bytes ? seabios_version(*bytes) : std::nullopt;
    if (!version) continue;
    for (Finding& found : judge_firmware(qemu, *version)) findings.push_back(std::move(found));
    break;
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
