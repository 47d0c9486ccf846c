// Carrying out a plan: decrypt what a script needs, run it, encrypt what it made, publish all of it at once.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "generate/graph.h"
#include "generate/sandbox.h"
#include "generate/survey.h"
#include "store/publish.h"
#include "store/repository.h"

namespace vmcred::generate {

/// The answers to a generator's prompts, by prompt name.
using Answers = std::map<store::GeneratorId, std::map<std::string, Secret>>;

/// What happened to one step; `log` is redacted and empty when there is nothing to say.
struct Event {
  enum class Kind : std::uint8_t { started, made, failed };
  Kind kind = Kind::started;
  const Task* task = nullptr;
  std::vector<std::string> files = {};  ///< made: the stored ones
  std::vector<std::string> warnings = {};
  std::string reason = {};  ///< failed: why
  std::string remedy = {};  ///< failed: what helps, where that is known
  std::string log = {};     ///< what the script said, without values
  std::size_t done = 0;     ///< how many steps are finished
};

struct Surroundings {
  const declare::Declaration& declaration;
  const store::Repository& repository;
  const store::Lock& lock;
  const store::KeyRing& keys;
  bool sandbox = true;
  unsigned threads = 0;  ///< 0: two a processor
  Limits limits = {};
  std::string systemd = {};  ///< socket of the manager that keeps the limits (script_groups.h); empty: nobody does
  const Clock& clock = real_clock();
  std::function<void(const Event&)> observe = {};  ///< one call at a time
};

/// What a run changed, and how it ended.
struct Changed {
  std::vector<std::string> folders = {};  ///< published folders below the project, in the order of the plan
  std::vector<const Task*> made = {};     ///< the tasks that were finished, in that order
  Result<> result = {};                   ///< the first failure in the order of the plan
};

/// Runs the steps, independent ones at the same time. What was finished stays when another one fails.
Changed run_plan(const Graph& graph, const std::vector<Status>& statuses, const std::vector<Step>& steps,
                 const Answers& answers, const Surroundings& around);

}  // namespace vmcred::generate
