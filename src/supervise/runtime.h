// The runtime folder of one vm: private, held by one supervisor at a time.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// Where runtime folders are, by the environment of the process (the caller reads it).
struct RuntimePlaces {
  std::string unit = {};  ///< $RUNTIME_DIRECTORY: the folder itself, made by systemd
  std::string user = {};  ///< $XDG_RUNTIME_DIR
  std::string own =
      {};  ///< $VMCRED_RUNTIME_DIR: stands for all others, so that a demo or a test meets no vm of this machine
  std::string system = "/run/vmcred/vm";
  bool root = false;  ///< our uid is 0
};

/// The folder of `vm`: the unit's, else below $VMCRED_RUNTIME_DIR, else below /run/vmcred/vm as root, else
/// $XDG_RUNTIME_DIR/vmcred/vm/NAME.
Result<std::string> runtime_path(const RuntimePlaces& places, const std::string& vm);
/// Every folder above that may hold running vms, one's own first: /run/vmcred/vm and the user's.
std::vector<std::string> runtime_roots(const RuntimePlaces& places);

/// Whether a supervisor holds this runtime folder now; that can be told of somebody else's folder, too, which nobody
/// may enter. What an earlier one left is held by nobody.
bool is_held(const std::string& path);

/// The folder, made with mode 0700 and locked; what an earlier supervisor left in it is removed.
class RuntimeFolder {
 public:
  /// A second supervisor of the same vm is refused with `unavailable`.
  static Result<RuntimeFolder> hold(const std::string& path, const std::string& vm);
  RuntimeFolder(RuntimeFolder&& other) noexcept = default;
  RuntimeFolder& operator=(RuntimeFolder&& other) noexcept = default;
  RuntimeFolder(const RuntimeFolder&) = delete;
  RuntimeFolder& operator=(const RuntimeFolder&) = delete;
  /// Empties the folder; removes it where we made it.
  ~RuntimeFolder();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  RuntimeFolder(std::string path, Fd lock, bool made) : path_(std::move(path)), lock_(std::move(lock)), made_(made) {}
  std::string path_;
  Fd lock_;
  bool made_ = false;
};

}  // namespace vmcred::supervise
