#include "vmm/cloud_hypervisor/guard.h"

namespace vmcred::vmm::cloud_hypervisor {

void add_guard(Launch& launch, std::string path, const Context& context) {
  launch.guards.push_back({Guard::Protocol::rest, std::move(path)});
  auto& allowed = launch.guard_rules.allowed;
  allowed = {"GET /api/v1/vmm.ping", "GET /api/v1/vm.info",   "GET /api/v1/vm.counters", "PUT /api/v1/vm.power-button",
             "PUT /api/v1/vm.pause", "PUT /api/v1/vm.resume", "PUT /api/v1/vm.resize",   "PUT /api/v1/vmm.shutdown"};
  launch.guard_rules.power = "PUT /api/v1/vm.power-button";
  launch.guard_rules.hidden = {"oem_strings", "cmdline"};
  for (const Exposure exposure : context.exposed) {
    switch (exposure) {
      case Exposure::snapshot:
        allowed.emplace_back("PUT /api/v1/vm.snapshot");
        break;
      case Exposure::migration:
        allowed.emplace_back("PUT /api/v1/vm.send-migration");
        break;
      case Exposure::coredump:
        allowed.emplace_back("PUT /api/v1/vm.coredump");
        break;
    }
  }
}

}  // namespace vmcred::vmm::cloud_hypervisor
