// What is said of a secret that no key at hand opens: which keys could not be used, and who can let us read it.
#pragma once

#include <string>

#include "base/result.h"
#include "store/access.h"
#include "store/key_ring.h"
#include "store/repository.h"

namespace vmcred::store {

/// "there is no user 'x'", with the nearest or those that there are.
Failure no_such(const Principals& principals, Kind kind, const std::string& name);

/// Places of the operator's keys that were there and gave none, and why.
const std::vector<Error>& problems_of(const KeyRing& keys);

/// `error` as it came from decrypting `folder`/secret; where that says that nobody here is a reader, with a remedy by
/// name.
Error refused(const Repository& repository, const std::string& folder, const KeyRing& keys, Error error);

}  // namespace vmcred::store
