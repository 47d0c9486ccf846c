// The folder that a running service reads its credentials from ($CREDENTIALS_DIRECTORY): a copy that systemd made when
// the service started. Up to systemd 259 nothing renews it, so a service that is to be reloaded or signalled would read
// old values.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "credentials.h"
#include "link/receipt.h"

namespace vmcred::guest {

struct ServicePlaces {
  std::string services = "/run/credentials";  ///< holds a folder for each unit
  std::string system = present_folder();      ///< the values that are in place now
};

/// Gives `unit` the present values of what it loads: each file that differs is replaced by a rename, with the owner,
/// mode and access list of the one before. `consumers` says which file holds which credential; those of other units are
/// passed over. A unit without a folder does not run: nothing to do. Nobody else sees the folder writable meanwhile.
Result<> renew_service_folder(const std::string& unit, const std::vector<link::Consumer>& consumers,
                              const ServicePlaces& places = {});

}  // namespace vmcred::guest
