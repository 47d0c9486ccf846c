// Which generators there are and in which order they can run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "declare/model.h"
#include "store/layout.h"

namespace vmcred::generate {

/// One generator for one placement.
struct Task {
  store::GeneratorId id;
  const declare::Generator* generator = nullptr;  ///< borrowed from the declaration
  std::vector<std::size_t> dependencies = {};     ///< indexes of tasks, all smaller than its own
  std::vector<std::size_t> dependents = {};       ///< indexes of tasks, all larger
};

/// All tasks, each after what it depends on; otherwise sorted by owner (shared ones first), then name.
struct Graph {
  std::vector<Task> tasks;
  std::map<store::GeneratorId, std::size_t> index;
};

/// Refuses a dependency that is not declared (`not_found`), one that cannot have a single value (a shared generator on
/// one per machine, `usage`) and a circle, which it draws: "a -> b -> a" (`usage`).
Result<Graph> build_graph(const declare::Declaration& declaration);

/// Whether a task concerns one of the machines (by its owner, its vm's host, or the machines that share it).
bool concerns(const Task& task, const declare::Declaration& declaration, const std::vector<std::string>& machines);

}  // namespace vmcred::generate
