// Who needs whom among generators, drawn for people.
#pragma once

#include <string>

#include "declare/model.h"

namespace vmcred::declare {

/// "a -> b -> missing": the way from a generator that nobody needs, through `generator`, to what it depends on.
std::string drawn_need(const Declaration& declaration, const std::string& generator, const std::string& missing);

}  // namespace vmcred::declare
