// The one rule for new readers, of all commands: whoever would newly read something is shown; a person at the terminal
// is asked, elsewhere it takes --widen.
#pragma once

#include <span>

#include "command.h"
#include "store/readers.h"

namespace vmcred::app {

inline constexpr Parameter kWiden = {"--widen", "give access to those who would newly read something, without asking"};

/// "user bob: token/key (machine web)": one line for each new reader of each secret. For the key of a machine it says
/// what else can be read with it.
std::vector<std::string> new_readers(store::Principals& principals, std::span<const store::Adjustment> changes);

/// Nothing where nobody gains anything. `denied` when the person says no, or when nobody can be asked and --widen was
/// not given.
Result<> may_widen(store::Principals& principals, std::span<const store::Adjustment> changes, const Given& given,
                   const World& world);

/// The same for a command that names a reader and a secret: that is the answer for the keys of `named`, and they are
/// only shown; whoever else would gain something by it goes by the rule.
Result<> may_grant(store::Principals& principals, const store::Adjustment& change,
                   std::span<const store::PublicKey> named, const Given& given, const World& world);

}  // namespace vmcred::app
