#include "generate/outputs.h"

namespace vmcred::generate {

std::optional<Failure> failure_of(const Outcome& outcome, const store::GeneratorId& id, const declare::Generator& generator) {
  if (const auto* failed = std::get_if<ScriptFailed>(&outcome.what))
    return fail(Errc::io, "its script failed with {}", failed->status.text());
  const auto* bad = std::get_if<BadOutput>(&outcome.what);
  if (bad != nullptr && generator.script.empty()) {
    return hint(fail(Errc::not_found, "it has no script, and '{}' is not stored", bad->file),
                fmt::format("store it with '{}', or declare a script", store::set_command({.generator = id, .file = bad->file})));
  }
  if (bad != nullptr)
    return hint(fail(Errc::invalid_data, "its script ended well, but '{}' {}", bad->file, bad->reason),
                "the script must write each declared file to \"$out\"");
  if (const auto* stopped = std::get_if<Stopped>(&outcome.what))
    return fail(Errc::unavailable, "its script was stopped: {}", stopped->limit);
  if (const auto* none = std::get_if<NoSandbox>(&outcome.what))
    return hint(fail(Errc::unavailable, "no sandbox could be built for its script: {}", none->reason),
                "repair that, or run with --no-sandbox: the script then has all your rights");
  return {};
}

std::optional<Failure> refusal_of(const Made& made, const declare::Generator& generator, std::vector<std::string>& warnings) {
  for (const auto& [name, value] : made.files)
    if (value.empty() && !generator.files.at(name).allow_empty)
      return hint(fail(Errc::invalid_data, "its script made '{}' empty", name),
                  "if that is meant, declare the file with allow-empty = true");
  if (made.undeclared.empty()) return {};
  std::string names;
  for (const std::string& name : made.undeclared) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
  if (generator.foreign) {
    warnings.push_back(fmt::format("its script also made {}, which is not declared and not stored", names));
    return {};
  }
  return hint(fail(Errc::invalid_data, "its script also made {}, which is not declared", names),
              "declare it among the files, or write it to \"$TMPDIR\"");
}

}  // namespace vmcred::generate
