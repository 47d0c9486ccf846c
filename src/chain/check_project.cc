// Everything that `check` finds about one project.
#include <algorithm>
#include <iterator>

#include "chain/check.h"

namespace vmcred::chain {
namespace {

void append(std::vector<Finding>& all, std::vector<Finding> more) { std::ranges::move(more, std::back_inserter(all)); }

}  // namespace

Result<std::vector<Finding>> check_project(const declare::Reading& reading, const std::string& folder,
                                           const Clock& clock) {
  const declare::Declaration& declaration = reading.declaration;
  std::vector<Finding> all = check_declaration(reading);
  if (reading.problems.empty()) {
    TRY_LET(const store::Repository repository, store::Repository::open(declaration.folder));
    append(all, check_plans(declaration, &repository));
    TRY_LET(auto stored, in("check the store", check_store(declaration, repository, clock)));
    append(all, std::move(stored));
    append(all, check_sources(declaration));
  }
  TRY_LET(auto tree, check_tree(folder));
  append(all, std::move(tree));
  sort_findings(all);
  return all;
}

}  // namespace vmcred::chain
