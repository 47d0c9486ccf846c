// Where `vmcred inspect` reads from: files with SMBIOS tables, the running system, fw_cfg trees.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "credential/smbios.h"

namespace vmcred::app {

/// Everything that was found. The structures borrow from `bytes`.
struct Inspected {
  std::vector<Secret> bytes = {};
  std::vector<credential::FoundStructure> structures = {};
  std::string smbios = {};     ///< "SMBIOS 2.8", empty when there is no entry point
  std::string complaint = {};  ///< why reading a table stopped early
  std::size_t missing = 0;     ///< structures that are lost by that, as far as the entry point counts them
  std::vector<std::pair<std::string, Secret>> items = {};        ///< fw_cfg credentials
  bool is_list = false;                                          ///< systemd-creds printed it
  std::vector<std::pair<std::string, std::string>> listed = {};  ///< what it listed: name, size in its words
};

/// A file (a table, a dump, dmidecode's text, what `systemd-creds --system list` printed), or a folder:
/// /sys/firmware/dmi/entries, /sys/firmware/dmi/tables, a tree with opt/io.systemd.credentials/NAME/raw, the by_key
/// folder of fw_cfg, or one that holds them (/sys/firmware).
Result<Inspected> inspect_path(const std::string& path);

/// Standard input.
Result<Inspected> inspect_descriptor(int fd);

}  // namespace vmcred::app
