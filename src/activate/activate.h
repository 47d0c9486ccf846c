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
};

struct Report {
  Published published;
  std::size_t count = 0;  ///< files in the generation
  /// Who uses something that changed, sorted: the restart-units of vars, and vms of this machine. Empty after a boot, when
  /// nothing runs on older values.
  std::vector<std::string> units = {};
  std::vector<std::string> vms = {};
};

/// Fails only when no generation could be published; vars that could not be read are in `published.failed`.
Result<Report> activate(const Request& request);

}  // namespace vmcred::activate
