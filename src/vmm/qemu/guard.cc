#include "vmm/qemu/guard.h"

namespace vmcred::vmm::qemu {

void put_guard(Arguments& arguments, Launch& launch, const Context& context) {
  if (launch.guards.empty()) return;
  arguments.option("chardev", "socket", {{"id", "vmcred-guard"}, {"fd", std::to_string(launch.guard_fd)}});
  arguments.option("mon", "", {{"chardev", "vmcred-guard"}, {"mode", "control"}});
  auto& allowed = launch.guard_rules.allowed;
  allowed = {"query-status", "query-name",       "query-version",   "query-balloon", "query-cpus-fast",
             "query-kvm",    "system_powerdown", "system_reset",    "stop",          "cont",
             "quit",         "balloon",          "input-send-event"};
  const auto allow = [&allowed](std::initializer_list<const char*> commands) {
    allowed.insert(allowed.end(), commands.begin(), commands.end());
  };
  for (const Exposure exposure : context.exposed) {
    switch (exposure) {
      case Exposure::snapshot:
        allow({"snapshot-save", "snapshot-delete", "query-jobs", "job-dismiss"});
        break;
      case Exposure::migration:
        allow({"migrate", "query-migrate", "migrate_cancel", "migrate-set-parameters", "migrate-set-capabilities"});
        break;
      case Exposure::coredump:
        allow({"dump-guest-memory", "query-dump"});
        break;
    }
  }
}

}  // namespace vmcred::vmm::qemu
