// Command lines of VMMs whose options are written "--name VALUE", "--name=VALUE" or "-n VALUE", checked by a list.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vmm/allowed_options.h"

namespace vmcred::vmm {

enum class Takes : std::uint8_t { nothing, value };

/// An option that passes. Names with their dashes.
struct ListedOption {
  std::string_view name;
  Takes takes = Takes::value;
};

/// An option that is refused, and what to do instead.
struct RefusedOption {
  std::string_view name;
  std::string_view why;
  std::string_view remedy;
};

/// Who wrote the words: for messages, and for what a vm's declaration says elsewhere.
enum class Origin : std::uint8_t { command_line, extra_arguments };

/// "'--gdb' on the command line cannot be kept: …", with a remedy. `option` with its dashes.
Failure option_conflict(Origin origin, std::string_view option, std::string_view why, std::string_view remedy);
/// The same for an option that no list has.
Failure unknown_option(Origin origin, std::string_view option);

struct UsedOption {
  std::string name;  ///< "" of a word that belongs to none
  std::string value = {};
};

/// Takes the words apart. Fails with `usage` for an option that is refused, for one that is neither listed nor allowed,
/// and for one without its value.
Result<std::vector<UsedOption>> read_listed(std::span<const std::string> words, std::span<const ListedOption> listed,
                                            std::span<const RefusedOption> refused, const AllowedOptions& allowed,
                                            Origin origin);

}  // namespace vmcred::vmm
