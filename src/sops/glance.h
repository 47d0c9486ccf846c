// What a sops file says openly, told at a glance: without building its tree, for those who look at thousands of files.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace vmcred::sops {

/// Views into the text.
struct Glance {
  std::string_view data;                          ///< the ENC text
  std::vector<std::string_view> recipients = {};  ///< age recipients, in file order
};

/// Of a file of the common shape: then `parse` takes it too, with these texts, and there are no PGP or cloud entries.
/// Nothing for any other text, be it damaged or only unusual: `parse` knows.
std::optional<Glance> glance(std::string_view text);

}  // namespace vmcred::sops
