// Files of one's own that decide something, such as whom to trust: read only where nobody else can put another in their
// place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred {

/// What others may do with such a file: `writing` is refused always, `reading` too where the file holds a key.
enum class Others : std::uint8_t { may_read, may_nothing };

/// Opens the plain file at an absolute `path` for reading. Empty where there is none. Each folder, link and file on the
/// way has to belong to root or to whom we run as, and must not be writable by others; links are followed under the
/// same rule. A folder where others may add names but not replace ours (sticky, as /nix/store and /tmp are) is fine.
/// Everything else is `denied` with the remedy; a link that leads nowhere is an error, and not the same as no file.
Result<std::optional<Fd>> open_guarded(const std::string& path, Others others);

}  // namespace vmcred
