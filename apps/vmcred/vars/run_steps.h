// Running generators for a command: prompts first, then the scripts, a line for each, then git.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "generate/survey.h"
#include "vars/vars.h"

namespace vmcred::app {

struct HowToRun {
  std::string answers = {};  ///< --answers
  bool sandbox = true;
  bool commit = false;
  bool reuse_answers = true;  ///< take what a persisting prompt stored before
};

/// The socket of our own systemd manager, which counts what scripts use: PID 1's for root, a user's for a user; "" for
/// none.
std::string systemd_socket(const World& world);

/// {"generator", "owner"}: how an answer names a task.
Json task_json(const generate::Task& task);
/// {"would_make": […]}, of a dry run.
void answer_plan(const std::vector<generate::Step>& steps, const generate::Graph& graph, const World& world);

Result<> carry_out(const Project& project, const Overview& overview, const std::vector<generate::Step>& steps,
                   const store::Lock& lock, const HowToRun& how, const World& world);

}  // namespace vmcred::app
