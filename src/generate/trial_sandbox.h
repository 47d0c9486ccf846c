// For the tests of the sandbox: a job from a few lines of bash, and what comes of it.
#pragma once

#include <string>
#include <vector>

#include "generate/runtime_inputs.h"
#include "generate/sandbox.h"
#include "matchers.h"

namespace vmcred::generate {

/// `inputs`: as in runtime-inputs.
inline Job job(std::string script, std::vector<std::string> outputs = {"x"},
               const std::vector<std::string>& inputs = {}) {
  const auto toolbox = find_runtime_inputs(inputs);
  EXPECT_TRUE(toolbox);
  Job made{.script = std::move(script), .commands = toolbox->commands, .outputs = std::move(outputs)};
  made.limits.time = std::chrono::seconds(120);
  return made;
}

inline Outcome outcome_of(const Job& what) {
  Result<Outcome> outcome = run_in_sandbox(what);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome ? *std::move(outcome) : Outcome{};
}

/// The file that was made, or why there is none.
inline std::string made(const Job& what, const std::string& file = "x") {
  const Outcome outcome = outcome_of(what);
  const auto* result = std::get_if<Made>(&outcome.what);
  if (result == nullptr) return fmt::format("failed as {}: {}", outcome.what.index(), outcome.log.text());
  return std::string(result->files.at(file).text());
}

}  // namespace vmcred::generate
