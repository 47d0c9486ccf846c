// What is wrong with how a script ended, and with what it made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "declare/model.h"
#include "generate/sandbox.h"
#include "store/layout.h"

namespace vmcred::generate {

/// A failed outcome in one sentence: the script failed (`io`), made what cannot be taken (`invalid_data`), was stopped
/// at a limit or never ran (`unavailable`). Nothing when it did its work. A generator without a script holds values
/// from outside (`not_found`; hint: vars set). `sandbox`: it ran in one, whose wall is named where the script met it.
std::optional<Failure> failure_of(const Outcome& outcome, const store::GeneratorId& id,
                                  const declare::Generator& generator, bool sandbox);

/// What is wrong with the outputs of a script that ended well: empty ones that must not be, and undeclared ones (of a
/// generator that comes from clan only a warning).
std::optional<Failure> refusal_of(const Made& made, const declare::Generator& generator,
                                  std::vector<std::string>& warnings);

}  // namespace vmcred::generate
