// The folder a script works in, held by a descriptor: inputs are put there, and what it made is taken from there.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "generate/sandbox.h"

namespace vmcred::generate {

/// Makes in/, out/ and prompts/ with the inputs, private to `owner` (none: to us).
Result<> fill_work_folder(const Fd& folder, const Job& job, std::optional<uid_t> owner);

struct Taken {
  Made made;
  std::optional<BadOutput> bad = {};
};
/// Takes the declared files out of out/. Only regular files count; a link, device, fifo or folder is refused.
Result<Taken> take_outputs(const Fd& folder, const Job& job);

/// The regular files that stand in out/, at most 64 and each within the job's limit: what a script that failed may have
/// printed as well.
std::vector<Secret> leftovers(const Fd& folder, const Job& job);

/// Whether the file system of that folder is full.
bool is_full(const Fd& folder);

}  // namespace vmcred::generate
