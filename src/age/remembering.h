// An identity that is asked once for each file: what a plugin unwrapped, or refused to, is not asked of it again.
#pragma once

#include "age/keys.h"

namespace vmcred::age {

/// Wraps an identity whose answers cost something (a PIN, a touch). File keys, refusals and failures are kept while it
/// lives; unwrap_all() asks for all files that are new, together.
IdentityPtr remembering(IdentityPtr identity);

}  // namespace vmcred::age
