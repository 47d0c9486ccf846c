// `vmcred activate`: everything that a machine may read, decrypted into the next generation below /run.
#pragma once

#include <string>
#include <vector>

#include "activate/generation.h"
#include "activate/users.h"
#include "base/result.h"
#include "declare/model.h"
#include "store/repository.h"

namespace vmcred::activate {

struct Request {
  const declare::Declaration& declaration;
  const store::Repository& repository;
  const store::KeyRing& keys;
  std::string machine;
  Places places = {};
  UserDoors users = {};
  bool early = false;  ///< only what is needed for users, before there are any: all of it is root's
};

/// Where `early` values go: not the folder of the others, which comes once users are there.
Places early_places();

struct Report {
  Published published;
  /// Who uses something that changed, sorted: the restart-units of vars, and vms of this machine. Empty after a boot,
  /// when nothing runs on older values.
  std::vector<std::string> units = {};
  std::vector<std::string> vms = {};
};

/// Fails only when no generation could be published; vars that could not be read are in `published.failed`.
Result<Report> activate(const Request& request);

}  // namespace vmcred::activate
