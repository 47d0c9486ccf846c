// New values for a running guest: how they come over the control socket, and what set follows from them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/json.h"
#include "base/result.h"
#include "declare/model.h"
#include "link/set.h"
#include "supervise/credentials.h"

namespace vmcred::supervise {

/// What the guest should hold: every credential of the vm by its guest name.
Result<link::Set> expected_set(const declare::Vm& vm, const Secrets& secrets, std::uint64_t generation);

/// The values as the content of a memory file, which travels as a descriptor: no value is ever in a request's text.
Result<Fd> pack_values(const Secrets& values);

/// What came over the control socket.
struct NewValues {
  Secrets values = {};
  /// Host names that the vm did not declare when it started: their values are dropped, a start of the vm brings them.
  std::vector<std::string> undeclared = {};
};
/// The same back. Empty values that are not allowed, duplicates and anything malformed are refused. The file is wiped.
Result<NewValues> unpack_values(const declare::Vm& vm, const Fd& file);

/// The set that results when `values` replace those of `secrets`, with what the services of changed credentials need:
/// restart, reload, a signal, or nothing, as each credential declares. A unit with several gets the strongest.
Result<link::Set> refreshed_set(const declare::Vm& vm, const Secrets& secrets, const Secrets& values,
                                std::uint64_t generation);

/// The host names of those `values` that `held` has otherwise or not at all, sorted: what the guest holds is older.
std::vector<std::string> outdated(const Secrets& held, const Secrets& values);

/// What became of each credential that was handed over, by host name, and of the guest's units: for the answer over the
/// control socket. {"credentials": [{"host", "state": "refreshed" | "unchanged" | "needs a restart"}], "services":
/// [{"unit", "action"}]}
Json refresh_details(const Secrets& held, const NewValues& fresh, const std::vector<link::UnitAction>& actions);

}  // namespace vmcred::supervise
