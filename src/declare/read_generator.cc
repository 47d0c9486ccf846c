// Generators, their files and prompts.
#include <algorithm>

#include "declare/dependencies.h"
#include "declare/keys.h"
#include "declare/names.h"
#include "declare/read.h"
#include "declare/values.h"

namespace vmcred::declare {
namespace {

constexpr std::string_view kVarNameRule = "one file name: no '/', no control characters, not '.' or '..'";

void check_var_name(std::string_view name, std::string_view what, const Place& place, Report& report) {
  if (valid_var_name(name)) return;
  const bool ours = name == ".validation-hash" || name == ".vmcred.json";
  report.add(ours ? Fault::reserved_name : Fault::bad_name, place,
             fmt::format("'{}' cannot be the name of a {}", name, what),
             ours ? "the store keeps a file of its own under this name" : std::string(kVarNameRule));
}

bool account_name(std::string_view name) {
  return plain_text(name) && name.find_first_of(":/ ") == std::string_view::npos;
}

File read_file_options(const Entry& member, const std::string& pointer, const std::string& owner_label,
                       Report& report) {
  const Table table(report, member, pointer, fmt::format("{}: file '{}'", owner_label, member.key), kFileKeys);
  check_var_name(member.key, "file", table.place(), report);
  File file{.name = member.key, .place = table.place()};
  file.secret = table.flag("secret", true);
  file.deploy = table.flag("deploy", true);
  file.owner = table.text_or("owner", "root");
  file.group = table.text_or("group", "root");
  for (const auto& [key, value] : {std::pair("owner", &file.owner), std::pair("group", &file.group)})
    if (!account_name(*value)) table.problem(key, Fault::bad_value, fmt::format("'{}' cannot be '{}'", key, *value));
  if (const Node* mode = table.find("mode"); mode != nullptr && mode->if_integer() != nullptr) {
    table.problem("mode", Fault::wrong_type, "'mode' must be a string, not an integer", "write mode = \"0400\"");
  } else if (const auto text = table.text("mode")) {
    const auto value = parse_mode(*text);
    if (!value) {
      table.problem("mode", Fault::bad_value, fmt::format("'mode' cannot be '{}'", *text),
                    "four octal digits, such as \"0400\"");
    }
    file.mode = value.value_or(0400);
    file.mode_place = table.place("mode");
  }
  file.allow_empty = table.flag("allow-empty", false);
  file.needed_for = table.word_or("needed-for", "services", kNeededFor);
  file.restart_units = table.texts("restart-units");
  return file;
}

Prompt read_prompt(const Entry& member, const std::string& pointer, const std::string& owner_label, Report& report) {
  const std::string label = fmt::format("{}: prompt '{}'", owner_label, member.key);
  const Table table(report, member, pointer, label, kPromptKeys);
  check_var_name(member.key, "prompt", table.place(), report);
  const Table display = table.table("display", label + ": display", kDisplayKeys);
  return {.name = member.key,
          .description = table.text_or("description", member.key),
          .type = table.choice<PromptType>("type").value_or(PromptType::line),
          .persist = table.flag("persist", false),
          .display_group = display.text_or("group", ""),
          .display_label = display.text_or("label", ""),
          .display_help = display.text_or("help", ""),
          .place = table.place()};
}

void check_machines(const Table& table, const std::vector<std::string>& given, const std::vector<Place>& places,
                    const Declaration& declaration) {
  std::vector<std::string_view> names;
  for (const auto& [name, machine] : declaration.machines) names.push_back(name);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (declaration.machines.contains(given[i]) || names.empty()) continue;
    table.report().add(Fault::unknown_reference, places[i],
                       fmt::format("{}: no machine '{}' is declared", table.label(), given[i]),
                       hint_for(given[i], names, "declared are"));
  }
}

// Who has a value of his own: `vms`, or `share = true`, or one for each of `machines` (default: the only machine).
void read_sharing(const Table& table, const Declaration& declaration, Generator& generator) {
  std::vector<Place> places;
  std::vector<std::string> machines = table.texts("machines", &places);
  check_machines(table, machines, places, declaration);
  generator.vms = table.texts("vms");
  const bool shared = table.flag("share", false);
  if (table.has("vms")) {
    if (shared) table.problem("share", Fault::bad_value, "'share' and 'vms' exclude each other");
    if (table.has("machines")) {
      table.problem("machines", Fault::bad_value, "'machines' and 'vms' exclude each other",
                    "the machine of each vm has its values");
    }
    if (generator.vms.empty() && table.find("vms")->if_array() != nullptr)
      table.problem("vms", Fault::bad_value, "'vms' is empty");
    generator.sharing = Sharing::per_vm;
    return;
  }
  generator.sharing = shared ? Sharing::shared : Sharing::per_machine;
  if (!table.has("machines")) {
    if (!shared && declaration.machines.size() > 1) {
      table.problem("machines", Fault::missing_key, "'machines' is missing, and there are several machines",
                    "name those that need it, or say share = true");
    }
    for (const auto& [name, machine] : declaration.machines) machines.push_back(name);
  } else if (machines.empty() && table.find("machines")->if_array() != nullptr) {
    table.problem("machines", Fault::bad_value, "'machines' is empty");
  }
  std::ranges::sort(machines);
  machines.erase(std::unique(machines.begin(), machines.end()), machines.end());
  generator.machines = std::move(machines);
}

void read_runtime_inputs(const Table& table, Generator& generator) {
  std::vector<Place> places;
  generator.runtime_inputs = table.texts("runtime-inputs", &places);
  for (std::size_t i = 0; i < generator.runtime_inputs.size(); ++i) {
    const std::string& input = generator.runtime_inputs[i];
    if (plain_text(input) && (input.starts_with('/') || input.find('/') == std::string::npos)) continue;
    table.report().add(Fault::bad_value, places[i],
                       fmt::format("{}: '{}' cannot be a runtime input", table.label(), input),
                       "a command, a package, or an absolute path whose bin/ joins PATH");
  }
}

// Nix's `validation` is null, a bool, a number, a string or a table of these; a list would have no canonical form
// there.
bool valid_validation(const Node& node) {
  if (node.if_array() != nullptr || std::holds_alternative<Foreign>(node.value)) return false;
  const auto* object = node.if_object();
  return object == nullptr || std::ranges::all_of(*object, [](const Member& m) { return valid_validation(m.node); });
}

}  // namespace

Generator read_generator(const Entry& member, const std::string& pointer, const Declaration& declaration,
                         Report& report) {
  const Table table(report, member, pointer, fmt::format("generator '{}'", member.key), kGeneratorKeys);
  check_var_name(member.key, "generator", table.place(), report);
  Generator generator{.name = member.key, .place = table.place()};
  read_sharing(table, declaration, generator);
  read_runtime_inputs(table, generator);
  generator.script = table.text_or("script", "");
  generator.dependencies = table.texts("dependencies");
  table.each("files", [&](const Entry& file, const std::string& at) {
    generator.files[file.key] = read_file_options(file, at, table.label(), report);
  });
  table.each("prompts", [&](const Entry& prompt, const std::string& at) {
    generator.prompts[prompt.key] = read_prompt(prompt, at, table.label(), report);
  });
  // As in clan, a prompt that persists is a secret file of the same name.
  for (const auto& [name, prompt] : generator.prompts)
    if (prompt.persist) generator.files.try_emplace(name, File{.name = name, .place = prompt.place});
  if (const Node* validation = table.find("validation")) {
    if (valid_validation(*validation)) {
      generator.validation_json = dump_json(canonical_json(*validation));
    } else {
      table.problem("validation", Fault::wrong_type,
                    "'validation' can hold strings, numbers, booleans and tables of these");
    }
  }
  generator.on_stale = table.choice<OnStale>("on-stale").value_or(OnStale::report);
  if (const auto text = table.text("rotate-after")) {
    generator.rotate_after = parse_days(*text);
    if (!generator.rotate_after) {
      table.problem("rotate-after", Fault::bad_value, fmt::format("'rotate-after' cannot be '{}'", *text),
                    "a number of days, weeks or years, such as \"90d\"");
    }
  }
  generator.foreign = table.flag("foreign", false);
  return generator;
}

void check_dependencies(const Declaration& declaration, Report& report) {
  std::vector<std::string_view> names;
  for (const auto& [name, generator] : declaration.generators) names.push_back(name);
  for (const auto& [name, generator] : declaration.generators) {
    for (const std::string& dependency : generator.dependencies) {
      if (declaration.generators.contains(dependency)) continue;
      report.add(Fault::unknown_reference, generator.place,
                 fmt::format("generator '{}': depends on '{}', which is not declared: {}", name, dependency,
                             drawn_need(declaration, name, dependency)),
                 hint_for(dependency, names, "declared are"));
    }
  }
}

}  // namespace vmcred::declare
