// What must be looked at to see a finding: the declaration alone, or a host with its files, programs and store.
#pragma once

#include <cstdint>
#include <string_view>

#include "chain/finding.h"

namespace vmcred::chain {

/// What is about a declaration (names, types, links of the chain) is the same on every machine, and so fails builds and
/// CI. A code that is not listed there in about.cc is about the host.
enum class About : std::uint8_t { declaration, host };
About about(Code code);
std::string_view about_name(About about);  ///< "declaration", "host"

}  // namespace vmcred::chain
