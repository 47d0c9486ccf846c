// Versions of programs as their banners tell them, and the traps that stand in a known range of them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/finding.h"

namespace vmcred::chain::doctor {

/// major, minor, patch; what a banner leaves out is 0.
using Version = std::array<unsigned, 3>;

/// The first version in a text: "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)", "cloud-hypervisor v26.0.0".
std::optional<Version> find_version(std::string_view text);
std::string version_text(const Version& version);

/// The version of SeaBIOS in its image, such as "rel-1.16.2-0-gea1b7a0733" or "1.16.2-debian-1.16.2-1".
std::optional<Version> seabios_version(std::string_view image);

/// Whether `-smbios type=11,path=` of this QEMU reads past the end of its buffer: 5.2 until 10.0; mended in 7.2.18 and
/// in Ubuntu's 8.2.2+ds-0ubuntu1.11. `banner`: the first line of --version.
bool has_path_overrun(std::string_view banner);

/// A program that was found.
struct Program {
  std::string name;    ///< "qemu-system-x86_64"
  std::string banner;  ///< first line of --version
};
/// The traps of one hypervisor.
std::vector<Finding> judge_program(const Program& program);
/// Of QEMU with its firmware: from 8.1 on its entry point may be of 64 bits, and SeaBIOS before 1.17 cuts the table of
/// such a one modulo 65536.
std::vector<Finding> judge_firmware(std::string_view qemu_banner, const Version& seabios);
/// Of the host's systemd.
std::vector<Finding> judge_systemd(int version);

}  // namespace vmcred::chain::doctor
