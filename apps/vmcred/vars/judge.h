// The one judgement of what is stored, for every command that tells of it (vars list, vars check): what is missing,
// stale or damaged, what others can read than its links say, and what nobody vouches for.
#pragma once

#include "vars/vars.h"

namespace vmcred::app {

/// One thing that is not as it should be.
struct Fault {
  std::string state;  ///< missing, stale, invalid, partial, damaged, due, readers, signature, orphan
  std::string what;   ///< "token/key (machine web)"
  std::string why;
  std::string file = {};                 ///< of the generator, where it is about one of its files
  const generate::Task* task = nullptr;  ///< where it is about all that a generator made for one owner
  std::string remedy = {};               ///< where the judgement knows one
};

struct Judgement {
  generate::Graph graph;
  std::vector<generate::Status> statuses = {};  ///< as graph.tasks
  std::vector<std::vector<Fault>> faults = {};  ///< as graph.tasks; none for a task that was not asked for
  std::size_t values = 0;                       ///< that were asked for
};

/// Which tasks are looked at: all where nothing is named.
struct Selection {
  std::vector<std::string> machines = {};
  std::vector<std::string> generators = {};
  [[nodiscard]] bool everything() const { return machines.empty() && generators.empty(); }
};

Result<Judgement> judge(const Project& project, const Selection& asked, const World& world);

/// What is said of secrets that no generator has: those below sops/secrets, exports, and `orphans`.
Result<std::vector<Fault>> judge_others(const Project& project, const std::vector<store::VarId>& orphans);

}  // namespace vmcred::app
