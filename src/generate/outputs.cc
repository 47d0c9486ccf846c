#include "generate/outputs.h"

namespace vmcred::generate {

namespace {

/// What a script says when it meets the sandbox's wall, and the way round it.
std::string wall_in(std::string_view log) {
  struct Wall {
    std::string_view said;
    const char* remedy;
  };
  static constexpr const char* kNetwork =
      "the sandbox has no network: let the script make the value by itself, or store one with 'vmcred vars set'";
  static constexpr const char* kPrograms =
      "the sandbox has coreutils and the declared runtime-inputs alone: declare what is missing among these";
  static constexpr const char* kFolders = "the sandbox lets a script write below \"$out\" and \"$TMPDIR\" alone";
  static constexpr const char* kFiles =
      "the sandbox shows no file of the host or the project, only \"$in\" and \"$prompts\": declare a dependency or a "
      "prompt, or write it into the script";
  static constexpr const char* kRights = "the sandbox gives a script no rights of root, no other user and no devices";
  static constexpr Wall kWalls[] = {{"resolve host", kNetwork},
                                    {"name resolution", kNetwork},
                                    {"Name or service not known", kNetwork},
                                    {"Network is unreachable", kNetwork},
                                    {"not known to the resolver", kNetwork},
                                    {"Could not connect", kNetwork},
                                    {"Failed to connect to", kNetwork},
                                    {"bind: Cannot assign", kNetwork},
                                    {"command not found", kPrograms},
                                    {": not found", kPrograms},
                                    {"Read-only file system", kFolders},
                                    {"No such file or directory", kFiles},
                                    {"Operation not permitted", kRights},
                                    {"Permission denied", kRights}};
  // curl -s and its like say nothing at all.
  if (log.find_first_not_of(" \n") == std::string_view::npos)
    return "it said nothing; the sandbox has no network, no files of the host, and the declared runtime-inputs alone";
  for (const Wall& wall : kWalls)
    if (log.contains(wall.said)) return wall.remedy;
  return {};
}

}  // namespace

std::optional<Failure> failure_of(const Outcome& outcome, const store::GeneratorId& id,
                                  const declare::Generator& generator, bool sandbox) {
  if (const auto* failed = std::get_if<ScriptFailed>(&outcome.what))
    return hint(fail(Errc::io, "its script failed with {}", failed->status.text()),
                sandbox ? wall_in(outcome.log.text()) : std::string());
  const auto* bad = std::get_if<BadOutput>(&outcome.what);
  if (bad != nullptr && generator.script.empty()) {
    return hint(fail(Errc::not_found, "it has no script, and '{}' is not stored", bad->file),
                fmt::format("store it with '{}', or declare a script",
                            store::set_command({.generator = id, .file = bad->file})));
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

std::optional<Failure> refusal_of(const Made& made, const declare::Generator& generator,
                                  std::vector<std::string>& warnings) {
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
