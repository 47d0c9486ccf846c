#include <algorithm>
#include <iterator>

#include "chain/about.h"
#include "chain/check.h"

namespace vmcred::chain {

std::vector<Finding> check_declared(const declare::Reading& reading) {
  std::vector<Finding> all = check_declaration(reading);
  if (reading.problems.empty()) std::ranges::move(check_plans(reading.declaration, nullptr), std::back_inserter(all));
  std::erase_if(all, [](const Finding& each) { return about(each.code) != About::declaration; });
  sort_findings(all);
  return all;
}

}  // namespace vmcred::chain
