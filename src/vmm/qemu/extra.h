// Arguments that the user adds to QEMU's command line: which of them would undo what the supervisor relies on.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace vmcred::vmm::qemu {

/// One option of a QEMU command line with the word that follows it, where it takes one.
struct GivenOption {
  std::string name;         ///< without dashes
  std::string value = {};   ///< empty for flags
  std::size_t index = 0;    ///< of its own word
};

/// Takes a command line apart. Words that belong to no option (a disk image) have an empty name.
std::vector<GivenOption> read_options(std::span<const std::string> words);

/// Fails with `usage` for the first option that conflicts: it would deliver credentials another way, start the vm before
/// its values are wiped, open the guest's memory to others, or take the console or the exit status away.
Result<> check_extra(std::span<const std::string> words);

}  // namespace vmcred::vmm::qemu
