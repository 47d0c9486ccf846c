// How tasks are spoken of together.
#pragma once

#include <string>
#include <vector>

#include "generate/graph.h"

namespace vmcred::generate {

/// Tasks of one generator: "g (machine web)", "g (3 machines: db, mail, web)", "g (40 vms: a, b, c, …)".
std::string spoken(const std::vector<const Task*>& tasks);

}  // namespace vmcred::generate
