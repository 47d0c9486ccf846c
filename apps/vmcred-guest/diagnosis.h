// What is wrong between the machine's offers and the folder that services load from, and why: the questions of
// `doctor`. Values are compared in memory; no finding ever holds one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "chain/finding.h"

namespace vmcred::guest {

struct Machine {
  std::string root = "/";        ///< another one in tests
  int systemd = 0;               ///< its major version; 0: not known, or another init
  bool system_on_tmpfs = false;  ///< @system lies on a tmpfs, which has a page for each credential
};

/// In the shape of `vmcred doctor` on the host. Needs root: only root may look at credentials.
Result<std::vector<chain::Finding>> diagnose(const Machine& machine);

}  // namespace vmcred::guest
