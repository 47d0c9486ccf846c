// What command lines and domains say about OEM strings, judged alike.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/finding.h"

namespace vmcred::chain {

/// One OEM string that somebody else's configuration holds in clear.
struct OpenString {
  std::string text;
  declare::Place place;
  bool in_clear = true;  ///< false: its value stands in a file, and `text` has none
};

/// A credential there is a finding of `code`: an error when its value looks secret, is called so, or is in the binary
/// form; a note otherwise. `where` says in words who can read it.
void judge_strings(const std::vector<OpenString>& strings, Code code, std::string_view where,
                   std::vector<Finding>& findings);

/// More than one structure of them can carry, or more than the guest's systemd reads of it.
void judge_amount(const std::vector<OpenString>& strings, int systemd, std::vector<Finding>& findings);

/// What does not arrive: a name that no credential can have, one given before, a value of the binary form that is no
/// base64 (credential::examine). `items` are fw_cfg's, as item_as_string() gives them; systemd reads those first.
void judge_arrival(const std::vector<OpenString>& strings, const std::vector<OpenString>& items,
                   std::vector<Finding>& findings);

/// The fw_cfg item of that name as the OEM string it is equal to; nothing for what is no credential.
std::optional<std::string> item_as_string(std::string_view item, std::string_view text);

/// A name that is too long for fw_cfg, or nearly one of systemd's.
void judge_item_name(std::string_view item, const declare::Place& place, std::vector<Finding>& findings);

}  // namespace vmcred::chain
