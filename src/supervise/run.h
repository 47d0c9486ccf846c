// `vmcred vm run` as one function: from the values of a vm to its end.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "declare/model.h"
#include "supervise/accel.h"
#include "supervise/runtime.h"
#include "supervise/supervisor.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// What `vm run` was asked for, with every door to the outside.
struct RunRequest {
  const declare::Vm& vm;
  const vmm::Backend& backend;
  RuntimePlaces places = {};
  Notifier notifier{};
  Observer* observer = nullptr;
  std::optional<declare::Accel> accel = {};                     ///< --accel
  std::optional<std::chrono::milliseconds> receipt_limit = {};  ///< --receipt-timeout
  std::optional<std::chrono::milliseconds> start_limit = {};    ///< --start-timeout
  StopTimes stop = {};
  AccelDoors accel_doors = {};
  Randomness* randomness = &kernel_randomness();
  std::vector<std::string> vmm_environment = {"PATH=" + std::string(kSystemPath)};
  std::vector<vmm::Exposure> exposed = {};  ///< what the guard lets through besides
};

/// Gives the plaintext, once, at the moment when it is needed.
using SecretSource = std::function<Result<Secrets>()>;

/// Whether the guest has to prove what it got before the vm counts as ready.
bool receipt_required(const declare::Vm& vm);

/// Values -> plan -> launch -> supervise. Everything that can be refused is refused before the VMM starts.
Result<Outcome> run_vm(const RunRequest& request, const SecretSource& secret_source);

/// The same for a command line that somebody else built, which `request.backend` recognised: the vm is what that
/// command line says it is, and its credentials are those of `request.vm`.
Result<Outcome> run_foreign(const RunRequest& request, const vmm::Foreign& foreign, const SecretSource& secret_source);

/// The first line that `program --version` prints; empty when it cannot be had within three seconds.
std::string probe_version(const std::string& program);

}  // namespace vmcred::supervise
