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
  /// Units that use something that changed, sorted: a var's restart_units, and microvm@NAME.service for each vm. Empty
  /// after a boot, when nothing runs on older values.
  std::vector<std::string> units = {};
};

/// Fails only when no generation could be published; vars that could not be read are in `published.failed`.
Result<Report> activate(const Request& request);

}  // namespace vmcred::activate
