// Which services load which credentials, read from the unit files (systemd 252's `systemctl show` cannot print it).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "link/receipt.h"

namespace vmcred::guest {

/// Where units stand, the strongest first.
std::vector<std::string> unit_folders();

/// The consumers of `names`, from LoadCredential= and ImportCredential= in all services of `folders` and their
/// drop-ins. Absolute sources are no credentials of the system and left out; so are instances of a template that have
/// neither a file nor drop-ins of their own, which nothing here names.
std::vector<link::Consumer> find_consumers(const std::vector<std::string>& folders,
                                           const std::vector<std::string>& names);

}  // namespace vmcred::guest
