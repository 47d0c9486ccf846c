// What the vars commands share: the project opened, machines and var ids as they are typed, changes handed to git.
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "declare/model.h"
#include "generate/graph.h"
#include "generate/survey.h"
#include "store/publish.h"
#include "store/repository.h"

namespace vmcred::app {

/// A project and its store.
struct Project {
  declare::Declaration declaration;
  store::Repository repository;
  std::string host = {};  ///< the only machine that is declared, where others may be elsewhere (project.h)
};
Result<Project> open_project(const World& world);
/// The same for a command that needs the scripts of `machines` (none: of all).
Result<Project> open_project_with_scripts(const World& world, const std::vector<std::string>& machines);

/// The machines that were named, by position or --machine; none means all.
std::vector<std::string> named_machines(const Given& given, const World& world);
/// The same; one that is not declared is `not_found`.
Result<std::vector<std::string>> declared_machines(const Given& given, const World& world,
                                                   const declare::Declaration& declaration);
/// The generators that were named with -g; one that is not declared is `not_found`.
Result<std::vector<std::string>> declared_generators(const Given& given, const declare::Declaration& declaration);

/// "[MACHINE] VAR_ID", in any of these ways: one or two words, --machine, the only machine. `--vm` for values of vms.
Result<store::VarId> chosen_var(const std::vector<std::string>& words, const std::string& vm, const World& world,
                                const declare::Declaration& declaration);

/// Everything is as it is declared and stored: graph and status of each task.
struct Overview {
  generate::Graph graph;
  std::vector<generate::Status> statuses;
};
Result<Overview> look_over(const Project& project, const World& world);

/// Takes the store's lock; says so when it has to wait.
Result<store::Lock> lock_store(const Project& project, const World& world);

/// Stages changed paths in git, and commits them where that is asked for or configured.
Result<> hand_to_git(const Project& project, const std::vector<std::string>& paths, const std::string& subject,
                     bool commit, const World& world);

/// "no machine 'x' is declared in 'vmcred.toml'", with the nearest or all of them.
Failure no_machine(const std::string& machine, const declare::Declaration& declaration);

/// "a, b and c"
std::string enumeration(const std::vector<std::string>& names);

}  // namespace vmcred::app
