// What command lines and domains say about OEM strings, judged alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chain/finding.h"

namespace vmcred::chain {

/// One OEM string that somebody else's configuration holds in clear.
struct OpenString {
  std::string text;
  declare::Place place;
};

/// A credential there is a finding of `code`: an error when its value looks secret, is called so, or is in the binary
/// form; a note otherwise. `where` says in words who can read it.
void judge_strings(const std::vector<OpenString>& strings, Code code, std::string_view where, std::vector<Finding>& findings);

/// More than one structure of them can carry, or more than the guest's systemd reads of it.
void judge_amount(const std::vector<OpenString>& strings, int systemd, std::vector<Finding>& findings);

}  // namespace vmcred::chain
