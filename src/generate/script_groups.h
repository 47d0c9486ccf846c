// What scripts may use, bounded by the kernel: a cgroup for each, where systemd leaves us a part of the tree.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/process.h"
#include "base/result.h"
#include "base/systemd_bus.h"
#include "generate/sandbox.h"

namespace vmcred::generate {

/// The cgroup of one script. It goes at the end, when nothing is left in it.
class ScriptGroup {
 public:
  ScriptGroup(const ScriptGroups& groups, std::string name, std::string path)
      : groups_(&groups), name_(std::move(name)), path_(std::move(path)) {}
  ScriptGroup(ScriptGroup&& other) noexcept
      : groups_(other.groups_), name_(std::move(other.name_)), path_(std::exchange(other.path_, {})) {}
  ScriptGroup(const ScriptGroup&) = delete;
  ScriptGroup& operator=(const ScriptGroup&) = delete;
  ScriptGroup& operator=(ScriptGroup&&) = delete;
  ~ScriptGroup();
  /// Moves a process in; what it starts from then on is in it too.
  [[nodiscard]] Result<> take(pid_t process) const;
  /// Whether the kernel has ended something in it because there was no memory left for it.
  [[nodiscard]] bool ran_out_of_memory() const;

 private:
  const ScriptGroups* groups_;
  std::string name_;
  std::string path_;
};

/// One scope with Delegate=yes for a whole run. A process of ours that does nothing holds it, so it ends with us.
class ScriptGroups {
 public:
  /// `socket`: that of the systemd manager (systemd_bus.h) of whoever we are. `unavailable` with the reason where the
  /// limits cannot be the kernel's: no unified tree, no systemd, no memory controller.
  static Result<ScriptGroups> make(const std::string& socket, const std::string& tree = "/sys/fs/cgroup");
  /// The next script's. From any thread.
  [[nodiscard]] Result<ScriptGroup> next(const Limits& limits) const;

 private:
  friend class ScriptGroup;
  struct Shared {
    std::mutex mutex;
    SystemdBus bus;
    unsigned made = 0;
  };
  ScriptGroups(SystemdBus bus, Child keeper, std::string unit, std::string path)
      : shared_(new Shared{.mutex = {}, .bus = std::move(bus)}),
        keeper_(std::move(keeper)),
        unit_(std::move(unit)),
        path_(std::move(path)) {}
  std::unique_ptr<Shared> shared_;
  Child keeper_;
  std::string unit_;
  std::string path_;
};

}  // namespace vmcred::generate
