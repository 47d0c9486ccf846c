// What the caller knows better than the files: what secrets and keys are called, and which keys are machines'.
#pragma once

#include "adopt/adopt.h"

namespace vmcred::adopt {

/// Gives keys and secrets the names that are wished for. `usage`: a wish that belongs to nothing, a name that cannot be
/// one.
Result<> grant(const Wishes& wishes, Found& found);

/// Takes out of `found` what cannot be stored under the name that it would get: nothing of it can be a name, or another
/// secret would bear the same one, or other people read what would be files of the same generator. Each is left out
/// with a name to propose.
void sort_out_names(Found& found);

/// "--rename 'a_b.age=a-b-2'", as a shell takes it.
std::string rename_option(const std::string& source, const std::string& name);

}  // namespace vmcred::adopt
