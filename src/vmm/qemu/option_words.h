// QEMU's command line taken apart, by the list of options that vmcred knows; what it does not know is refused.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "vmm/option_list.h"

namespace vmcred::vmm::qemu {

/// One option of a QEMU command line with the word that follows it, where it takes one.
struct GivenOption {
  std::string name;        ///< without dashes
  std::string value = {};  ///< empty for flags
  std::size_t index = 0;   ///< of its own word
  bool takes_value = false;
};

/// "'-gdb' on the command line cannot be kept: …", with a remedy. `option` without its dash.
Failure conflict(Origin origin, std::string_view option, std::string_view why, std::string_view remedy);

/// Takes a command line apart. Words that belong to no option (a disk image) have an empty name. Fails with `usage` for
/// an option that is refused (see option_table.h), for one that is neither known nor allowed, and for one without its
/// value.
Result<std::vector<GivenOption>> read_options(std::span<const std::string> words, const AllowedOptions& allowed,
                                              Origin origin);

/// Fails with `usage` where a value opens the guest's memory to others, brings credentials another way, or is of a type
/// that is neither known nor allowed.
Result<> check_value(const GivenOption& option, const AllowedOptions& allowed, Origin origin);

}  // namespace vmcred::vmm::qemu
