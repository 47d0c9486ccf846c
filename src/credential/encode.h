// From the plan to bytes: what goes into each memory file, built in Secret from the values.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "credential/plan.h"

namespace vmcred::credential {

/// The secrets of one vm by host name.
using Values = std::map<std::string, Secret, std::less<>>;

/// The value of one entry: the secret of its host name, or its static text. A host name that is not in `values` is
/// `not_found`; a size that differs from the planned one is `mismatch`.
Result<Secret> value_of(const OemEntry& entry, const Values& values);

/// The whole OEM string without its NUL: `io.systemd.credential.binary:NAME=BASE64` for a secret,
/// `io.systemd.credential:NAME=TEXT` for a static value, the text alone for a string of the user's.
Result<Secret> encode_oem_string(const OemEntry& entry, const Values& values);

/// A word of a kernel line, quoted where it needs to be: `systemd.set_credential=NAME:VALUE`. A value with a quote or a
/// control character cannot stand there (`invalid_data`).
Result<Secret> encode_kernel_word(const OemEntry& entry, const Values& values);

/// One type-11 structure of exactly `raw_size` bytes (SMBIOS 3.6 §6.1, §7.12), for one `-smbios file=`.
Result<Secret> encode_structure(const Structure& structure, const Values& values);

/// The bytes of one fw_cfg item: the value as it is.
Result<Secret> encode_item(const FwCfgItem& item, const Values& values);

/// A newc archive with `/.extra/system_credentials/GUEST.cred` for each entry, to be appended to an initrd. `base_size`
/// is the size of what comes before: the archive begins with the zeros that bring it to a multiple of 4.
Result<Secret> encode_initrd(std::span<const OemEntry> entries, const Values& values, std::size_t base_size);

}  // namespace vmcred::credential
