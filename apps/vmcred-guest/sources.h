// Where credentials come into this machine: fw_cfg items, SMBIOS type-11 strings, the kernel command line. Read in the
// same way as systemd's src/core/import-creds.c, so that what it lost can be told from what never came.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "link/receipt.h"

namespace vmcred::guest {

struct Offered {
  std::string name;
  link::Source source = link::Source::smbios;
  Secret value;
};

struct Offers {
  std::vector<Offered> offered;      ///< in the order in which systemd looks: fw_cfg, SMBIOS, kernel command line
  std::vector<std::string> notices;  ///< what is malformed, cut off or not readable; never a value
};

/// All that this machine offers; sources that are not there are left out. `root` is "/" but in tests.
Offers read_offers(const std::string& root = "/");

/// All type-11 structures in a whole SMBIOS table (/sys/firmware/dmi/tables/DMI), for kernels without dmi-sysfs.
void read_table(Bytes table, Offers& offers);

/// The credentials in the strings of one raw type-11 structure (SMBIOS 3.6 §7.12), added to `offers`.
void read_type11(Bytes raw, const std::string& where, Offers& offers);

}  // namespace vmcred::guest
