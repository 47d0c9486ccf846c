// Unit files as data: a relative path and the text. Nothing here writes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmcred::unit {

/// One file to be written below a folder such as /etc/systemd/system.
struct UnitFile {
  std::string path;  ///< "microvm@test-vm.service.d/50-vmcred.conf"
  std::string text;
  bool operator==(const UnitFile&) const = default;
};

/// The first line of everything that we write; what does not begin with it is somebody else's and is never replaced.
inline constexpr std::string_view kMark =
    "# Written by 'vmcred vm units', which overwrites it; put changes into a drop-in of your own.";

}  // namespace vmcred::unit
