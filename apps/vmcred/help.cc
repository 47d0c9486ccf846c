#include "help.h"

#include <algorithm>

#include "manual.h"
#include "options.h"
#include "rooms.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

constexpr std::string_view kAbout =
    "vmcred carries secrets from a host into its microVMs, and proves that they arrived";
constexpr std::string_view kExitCodes =
    "0 done, 1 failed or refused, 2 wrong usage, 3 something was found (check, doctor, inspect and others);\n"
    "exec ends as its VMM does";

/// "-g, --generator GENERATOR..."
std::string shown(const Parameter& parameter) {
  const Spelling spelling = spelling_of(parameter);
  if (!spelling.option) return std::string(parameter.spelling);
  std::string text = spelling.names;
  if (const auto comma = text.find(','); comma != std::string::npos) text.insert(comma + 1, " ");
  if (!text.starts_with("-") || text.starts_with("--")) text = "    " + text;
  if (spelling.takes_value) text += " " + spelling.value + (spelling.repeatable ? "..." : "");
  return text;
}

std::string usage(const Command& command) {
  std::string line = fmt::format("vmcred {}", command.words);
  bool options = false;
  for (const Parameter& parameter : command.parameters) options = options || spelling_of(parameter).option;
  if (options) line += " [options]";
  for (const Parameter& parameter : command.parameters) {
    if (!spelling_of(parameter).option) line += fmt::format(" {}", parameter.spelling);
  }
  if (command.rest == Rest::required) line += " -- VMM ARGS...";
  if (command.rest == Rest::optional) line += " [-- VMM ARGS...]";
  return line;
}

/// Two columns, the first at least `left` wide, the second wrapped to 100 characters a line.
std::string columns(const std::vector<std::pair<std::string, std::string>>& rows, std::size_t left = 0) {
  constexpr std::size_t kWidth = 100;
  for (const auto& [name, help] : rows) left = std::max(left, name.size());
  std::string text;
  for (const auto& [name, help] : rows) {
    const std::string indent(left + 4, ' ');
    text += fmt::format("  {:<{}}  {}\n", name, left, wrap(help, kWidth - indent.size(), indent));
  }
  return text;
}

std::string man_escaped(std::string_view raw) {
  std::string safe;
  for (const char c : raw) {
    if (c == '*' || c == '_' || c == '\\' || c == '[' || c == '`') safe += '\\';
    safe += c;
  }
  return safe;
}

/// Lines that begin with `indent`, as scdoc wants a body; what would start a list, a table or a heading is escaped.
std::string man_paragraphs(std::string_view text, std::string_view indent) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto start = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(start);
    if (line.empty()) {
      result += '\n';
      continue;
    }
    const bool special = std::string_view("-.#|;]").find(line.front()) != std::string_view::npos;
    // A line that was set in stands on a line of its own in the page as well.
    result += fmt::format("{}{}{}{}\n", indent, special ? "\\" : "", line, start > 0 ? "++" : "");
  }
  return result;
}

std::string man_parameter(const Parameter& parameter) {
  std::string name = shown(parameter);
  name.erase(0, name.find_first_not_of(' '));
  return fmt::format("*{}*\n\t{}\n\n", man_escaped(name), man_escaped(parameter.help));
}

std::string man_mentions(const std::vector<Mention>& mentions) {
  std::string text;
  for (const auto& [name, what] : mentions)
    text += fmt::format("*{}*\n{}\n", man_escaped(name), man_paragraphs(man_escaped(what), "\t"));
  return text;
}

/// "vmcred-vars-generate"
std::string man_name(const Command& command) {
  std::string name = fmt::format("vmcred-{}", command.words);
  std::ranges::replace(name, ' ', '-');
  return name;
}

/// "secrets users", "vars"; of a command of one word itself.
std::string_view noun_of(const Command& command) { return command.words.substr(0, command.words.rfind(' ')); }

bool starts_with_words(const Command& command, const std::vector<std::string>& words) {
  std::string prefix;
  for (const std::string& word : words) prefix += word + " ";
  return command.words.starts_with(prefix) || words.empty();
}

}  // namespace

std::string overview(const std::vector<std::string>& words) {
  std::string text;
  std::vector<std::pair<std::string, std::string>> rows;
  if (words.empty()) {
    text = fmt::format("{}\n\nusage: vmcred COMMAND [options]\n", kAbout);
    const std::size_t left =
        std::ranges::max(commands(), {}, [](const Command* c) { return c->words.size(); })->words.size();
    for (const Room* room : rooms()) {
      rows.clear();
      for (const Command* command : room->commands) rows.emplace_back(command->words, command->summary);
      text += fmt::format("\n{}\n", room->title) + columns(rows, left);
    }
  } else {
    for (const Command* command : commands()) {
      if (starts_with_words(*command, words)) rows.emplace_back(command->words, command->summary);
    }
    text = fmt::format("usage: vmcred {} VERB [options]\n\n", words.front()) + columns(rows);
  }
  if (words.empty()) {
    text += "\nOptions of every command\n";
    rows.clear();
    for (const Parameter& parameter : global_parameters()) rows.emplace_back(shown(parameter), parameter.help);
    text += columns(rows);
    text += fmt::format("\nexit codes: {}\n", kExitCodes);
  }
  text += "\n'vmcred COMMAND --help' explains one command\n";
  return text;
}

std::string command_help(const Command& command) {
  std::string text = fmt::format("{}\n\nusage: {}\n", command.summary, usage(command));
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Parameter& parameter : command.parameters) rows.emplace_back(shown(parameter), parameter.help);
  if (!rows.empty()) text += "\n" + columns(rows);
  if (!command.manual.empty()) text += fmt::format("\n{}\n", command.manual);
  if (const auto examples = examples_of(command); !examples.empty()) {
    text += "\nexamples:\n";
    for (const Example& example : examples) text += fmt::format("  # {}\n  {}\n", example.what, example.line);
  }
  text += "\n'vmcred help' lists the options of every command\n";
  return text;
}

std::string manual_page() {
  std::string text = "vmcred(1)\n\n# NAME\n\n";
  text += fmt::format("vmcred - {}\n\n# SYNOPSIS\n\n*vmcred* _COMMAND_ [options]\n\n",
                      kAbout.substr(std::string_view("vmcred ").size()));
  text +=
      "# COMMANDS\n\nEach command has a page of its own: *vmcred vars generate* is explained in "
      "*vmcred-vars-generate*(1).\n";
  for (const Room* room : rooms()) {
    text += fmt::format("\n## {}\n\n", room->title);
    for (const Command* command : room->commands) {
      text += fmt::format("*{}*\n\t{}.\n\n", man_escaped(command->words), man_escaped(command->summary));
    }
  }
  text += "# OPTIONS OF EVERY COMMAND\n\n";
  for (const Parameter& parameter : global_parameters()) text += man_parameter(parameter);
  text += "# ENVIRONMENT\n\n";
  text += man_mentions({{"NO_COLOR, TERM", "no colour where NO_COLOR is set, or TERM is 'dumb'"},
                        {"PATH", "where programs are looked for: bubblewrap, git, ssh, the VMMs"}});
  text += "What else a command reads stands in its page.\n\n";
  text += fmt::format("# EXIT STATUS\n\n{}.\n\n# SEE ALSO\n\n*vmcred.toml*(5), *systemd.exec*(5), *systemd-creds*(1)\n",
                      kExitCodes);
  return text;
}

std::string manual_page(const Command& command) {
  const std::string name = man_name(command);
  std::string text = fmt::format("{}(1)\n\n# NAME\n\n{} - {}\n\n", name, name, man_escaped(command.summary));
  text += fmt::format("# SYNOPSIS\n\n*{}*\n\n", man_escaped(usage(command)));
  if (!command.manual.empty())
    text += fmt::format("# DESCRIPTION\n\n{}\n", man_paragraphs(man_escaped(command.manual), ""));
  if (!command.parameters.empty()) text += "# OPTIONS\n\n";
  for (const Parameter& parameter : command.parameters) text += man_parameter(parameter);
  text += "Those of every command, --project and --json among them, stand in *vmcred*(1).\n\n";
  if (const auto examples = examples_of(command); !examples.empty()) {
    text += "# EXAMPLES\n\n";
    for (const Example& example : examples) {
      text += fmt::format("{}:\n\n```\n{}\n```\n\n", man_escaped(example.what), example.line);
    }
  }
  if (const auto files = files_of(command); !files.empty()) text += "# FILES\n\n" + man_mentions(files);
  if (const auto variables = environment_of(command); !variables.empty())
    text += "# ENVIRONMENT\n\n" + man_mentions(variables);
  text += "# EXIT STATUS\n\n";
  if (command.words == "exec") {
    text += "That of the VMM; 1 where the vm failed although the VMM did not, 2 for wrong usage.\n\n";
  } else {
    const std::string_view findings = findings_of(command);
    text += fmt::format("0 done, 1 failed or refused, 2 wrong usage{}{}.\n\n", findings.empty() ? "" : ", 3 ",
                        man_escaped(findings));
  }
  text += "# SEE ALSO\n\n*vmcred*(1)";
  for (const Command* other : commands()) {
    if (other != &command && noun_of(*other) == noun_of(command)) text += fmt::format(", *{}*(1)", man_name(*other));
  }
  return text + ", *vmcred.toml*(5)\n";
}

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") {
    std::string text = "# bash completion for vmcred, made by 'vmcred completion bash'\n_vmcred() {\n  local table='";
    for (const Command* command : commands()) {
      text += fmt::format("{}|", command->words);
      for (const Parameter& parameter : command->parameters) {
        const Spelling spelling = spelling_of(parameter);
        if (spelling.option) text += fmt::format("--{} ", spelling.key);
      }
      text += "\n";
    }
    text += R"('
  local current=${COMP_WORDS[COMP_CWORD]} typed="" line words options candidates=""
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* ]] || typed+="${COMP_WORDS[i]} "
  done
  while IFS='|' read -r words options; do
    [[ -n $words ]] || continue
    if [[ $current == -* ]]; then
      [[ $typed == "$words "* ]] && candidates+=" $options"
    elif [[ "$words " == "$typed"* ]]; then
      line=${words#"$typed"}
      candidates+=" ${line%% *}"
    fi
  done <<<"$table"
  [[ $current == -* ]] && candidates+=" )";
    for (const Parameter& parameter : global_parameters()) text += fmt::format("--{} ", spelling_of(parameter).key);
    text += R"("
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
  [[ ${#COMPREPLY[@]} -gt 0 || $current == -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$current")
}
complete -F _vmcred vmcred
)";
    return text;
  }
  if (shell == "fish") {
    std::string text = "# fish completion for vmcred, made by 'vmcred completion fish'\n";
    for (const Command* command : commands()) {
      const auto space = command->words.find(' ');
      const std::string first(command->words.substr(0, space));
      if (space == std::string_view::npos) {
        text += fmt::format("complete -c vmcred -n __fish_use_subcommand -a {} -d '{}'\n", first, command->summary);
      } else {
        text += fmt::format("complete -c vmcred -n '__fish_seen_subcommand_from {}' -a '{}' -d '{}'\n", first,
                            command->words.substr(space + 1), command->summary);
      }
    }
    return text;
  }
  if (shell == "zsh") {
    TRY_LET(const std::string bash, completion_script("bash"));
    return "# zsh completion for vmcred, made by 'vmcred completion zsh'\nautoload -Uz bashcompinit && bashcompinit\n" +
           bash;
  }
  return hint(fail(Errc::usage, "no completion for the shell '{}'", shell), "bash, zsh and fish are known");
}

namespace {

constexpr Parameter kHelpParameters[] = {
    {"[WORD...]", "a command or noun; none: the overview"},
    {"--man", "print the manual page of that command, without one that of vmcred, in scdoc's format"},
    {"--words", "print the words of every command, one a line"},
    {"--examples", "print the examples of every command, one a line"},
    {"--parse", "only say whether the words behind '--' are a command line that vmcred takes"}};

const Command* command_of(std::string_view words) {
  const auto found = std::ranges::find(commands(), words, [](const Command* each) { return each->words; });
  return found == commands().end() ? nullptr : *found;
}

Failure no_command(std::string_view words) {
  return hint(fail(Errc::usage, "no command '{}'", words), "'vmcred help' lists the commands");
}

/// The table of commands.
void answer_commands(const World& world) {
  for (const Command* command : commands()) {
    Json parameters = Json::array();
    for (const Parameter& parameter : command->parameters)
      parameters.push(Json::object().set("spelling", parameter.spelling).set("help", parameter.help));
    answer_also(world, "commands",
                Json::object()
                    .set("words", command->words)
                    .set("summary", command->summary)
                    .set("parameters", std::move(parameters)));
  }
}

Result<std::string> help_text(const Given& given) {
  const std::vector<std::string> words = given.all("WORD");
  std::string joined;
  for (const std::string& word : words) joined += (joined.empty() ? "" : " ") + word;
  const Command* const command = command_of(joined);
  if (given.has("man")) {
    if (words.empty()) return manual_page();
    if (command == nullptr) return no_command(joined);
    return manual_page(*command);
  }
  std::string text;
  if (given.has("words")) {
    for (const Command* each : commands()) text += fmt::format("{}\n", each->words);
    return text;
  }
  if (given.has("examples")) {
    for (const Example& example : all_examples()) text += fmt::format("{}\n", example.line);
    return text;
  }
  if (given.has("parse")) {
    TRY(parse_command_line(words));
    return text;
  }
  if (command != nullptr) return command_help(*command);
  if (std::ranges::none_of(commands(), [&](const Command* each) { return starts_with_words(*each, words); })) {
    return no_command(joined);
  }
  return overview(words);
}

Result<Exit> help(const Given& given, World& world) {
  if (world.json) {
    answer_commands(world);
    return Exit::done;
  }
  TRY_LET(const std::string text, help_text(given));
  print(world, text);
  return Exit::done;
}

constexpr Parameter kCompletionParameters[] = {{"SHELL", "bash, zsh or fish"}};

Result<Exit> completion(const Given& given, World& world) {
  if (world.json)
    return hint(fail(Errc::usage, "'completion' prints a script for a shell, which is no JSON"), "leave out --json");
  TRY_LET(const std::string script, completion_script(given.at("SHELL")));
  print(world, script);
  return Exit::done;
}

constexpr Command kHelp = {"help", "show help", "", kHelpParameters, help};
constexpr Command kCompletion = {"completion", "print a completion script for a shell", "", kCompletionParameters,
                                 completion};

constexpr const Command* kCommands[] = {&kHelp, &kCompletion};

}  // namespace

constinit const Room kHelpRoom = {"Help", kCommands};

}  // namespace vmcred::app
