// Kernel modules. Loading one by modprobe costs a guest more than all else that vmcred does at its boot, so plain cases
// are done here; whatever an administrator has said about a module is left to modprobe.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vmcred::guest {

/// Where the guest keeps what modprobe reads.
struct ModuleFolders {
  std::string modules;                ///< "/lib/modules/6.1.0-40-amd64", as depmod left it
  std::vector<std::string> settings;  ///< folders of modprobe.d(5)
  std::string command_line;           ///< the kernel's, whose "module.parameter=" modprobe hands on
  std::string loaded;                 ///< "/sys/module"
};

/// Those of the running kernel; on NixOS below /run/booted-system.
ModuleFolders module_folders();

/// The files to give to the kernel, in this order, for the modules `names` (with '_') and all they need
/// (modules.dep(5), whose dependencies are loaded last to first); without those loaded or built in. Empty where
/// modprobe is to decide: no readable modules.dep, or the name of one of them stands in modprobe's settings,
/// modules.softdep or the kernel's line.
std::optional<std::vector<std::string>> module_files(const std::vector<std::string>& names,
                                                     const ModuleFolders& folders);

/// Loads them, by modprobe where `module_files` leaves it to that or the kernel refuses a file (compressed, say, where
/// it cannot decompress). A failure is not ours to tell: where the driver is built in there is no module to load.
void load_modules(const std::vector<std::string>& names);

}  // namespace vmcred::guest
