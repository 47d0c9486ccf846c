// cloud-hypervisor's command line (v53.0) as the configuration that vm.create takes: the options that runners emit, and
// an error that names any other.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "vmm/allowed_options.h"

namespace vmcred::vmm::cloud_hypervisor {

/// A network whose descriptors travel beside its configuration (vm.add-net).
struct FdNetwork {
  Json config = Json::object();
  std::vector<int> fds = {};
};

struct Translated {
  Json config = Json::object();               ///< a VmConfig without platform.oem_strings
  std::vector<std::string> oem_strings = {};  ///< as they stood in --platform
  std::vector<FdNetwork> fd_networks = {};
  std::string api_socket = {};            ///< its path, "" when there was none
  std::vector<std::string> process = {};  ///< options of the process, which stay on its command line
};

/// Translates everything after argv[0]. Fails with `usage` and the option's name; a value is never quoted.
Result<Translated> translate(const std::vector<std::string>& words, const AllowedOptions& allowed = {});

}  // namespace vmcred::vmm::cloud_hypervisor
