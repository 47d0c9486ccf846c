#include "options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <list>

#include "base/spelling.h"

namespace vmcred::app {
namespace {

constexpr std::array kGlobal = {
    Parameter{"--project DIR", "the project folder (default: the nearest one upwards with a declaration)"},
    Parameter{"--machine NAME", "the machine, where a command needs one and several are declared"},
    Parameter{"--nix FILE", "read the declaration from this NixOS-style module file"},
    Parameter{"--nixpkgs DIR",
              "evaluate it with this nixpkgs and all of NixOS (default: vmcred's own small evaluator)"},
    Parameter{"--flake REF#HOST", "read the declaration from this NixOS configuration of a flake"},
    Parameter{"--json", "print data as JSON"},
    Parameter{"--color WHEN", "auto, always or never (default: auto; NO_COLOR is honoured)"},
    Parameter{"-q,--quiet", "print only errors and data"},
    Parameter{"-v,--verbose", "say more of what is done"},
    Parameter{"-h,--help", "show help and exit"},
};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(at), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// Counts how many of the command's words stand at the front of `words`.
std::size_t matching_words(const std::vector<std::string>& command, const std::vector<std::string>& words) {
  const auto [a, b] = std::mismatch(command.begin(), command.end(), words.begin(), words.end());
  return static_cast<std::size_t>(a - command.begin());
}

Failure unknown_word(const std::vector<std::string>& words, std::size_t matched) {
  std::vector<std::string> candidates;
  for (const Command* command : commands()) {
    const auto parts = split(command->words, ' ');
    if (parts.size() > matched && matching_words(parts, words) >= matched) candidates.push_back(parts[matched]);
  }
  std::string noun;
  for (std::size_t i = 0; i < matched; ++i) noun += words[i] + " ";
  std::string remedy = did_you_mean(words[matched], candidates);
  if (remedy.empty()) remedy = fmt::format("'vmcred {}--help' lists the commands", noun);
  return hint(fail(Errc::usage, "no command '{}{}'", noun, words[matched]), std::move(remedy));
}

/// One parameter's values on their way out of CLI11.
struct Slot {
  Spelling spelling;
  std::vector<std::string> values = {};
  bool flag = false;
  CLI::Option* option = nullptr;
};

/// `lists`: a repeatable option for files takes all words up to the next option ("--unit *.service").
void add(CLI::App& app, std::list<Slot>& slots, const Parameter& parameter, bool lists) {
  Slot& slot = slots.emplace_back(Slot{spelling_of(parameter)});
  if (slot.spelling.option && !slot.spelling.takes_value) {
    slot.option = app.add_flag(slot.spelling.names, slot.flag);
    return;
  }
  slot.option = app.add_option(slot.spelling.names, slot.values);
  if (slot.spelling.option) {
    const bool several =
        lists && slot.spelling.repeatable && (slot.spelling.value == "PATH" || slot.spelling.value == "FILE");
    slot.option->expected(1, several ? -1 : 1)
        ->allow_extra_args(several)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  } else if (slot.spelling.repeatable) {
    slot.option->expected(slot.spelling.required ? 1 : 0, -1);
  } else {
    slot.option->expected(1)->allow_extra_args(false);  // else the first position takes what is the second's
  }
  slot.option->required(slot.spelling.required);
}

void store(Given& given, const Slot& slot) {
  if (slot.option->count() == 0) return;
  given.mark(slot.spelling.key);
  for (const std::string& value : slot.values) given.add(slot.spelling.key, value);
}

/// CLI11's exceptions end here; its texts are replaced by ours.
Result<> parse_with(CLI::App& app, std::vector<std::string> arguments, const Command& command,
                    const std::list<Slot>& slots) {
  const std::string help = fmt::format("'vmcred {} --help' shows what it takes", command.words);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 wants the last one first
  try {
    app.parse(arguments);
  } catch (const CLI::RequiredError& error) {
    for (const Slot& slot : slots) {
      if (slot.spelling.required && slot.option->count() == 0) {
        return hint(fail(Errc::usage, "'{}' needs {}", command.words, slot.spelling.key), help);
      }
    }
    return hint(fail(Errc::usage, "'{}': {}", command.words, error.what()), help);
  } catch (const CLI::ExtrasError&) {
    std::vector<std::string> known;
    for (const Slot& slot : slots) {
      for (const std::string& name : split(slot.spelling.names, ',')) {
        if (slot.spelling.option) known.push_back(name);
      }
    }
    const std::vector<std::string> extra = app.remaining();
    const std::string first = extra.empty() ? "" : extra.front();
    const bool option = first.starts_with('-');
    std::string remedy = option ? did_you_mean(first.substr(0, first.find('=')), known) : "";
    return hint(
        fail(Errc::usage, "'{}' takes no {} '{}'", command.words, option ? "option" : "further argument", first),
        remedy.empty() ? help : remedy);
  } catch (const CLI::ArgumentMismatch&) {
    return hint(fail(Errc::usage, "'{}': an option lacks its value", command.words), help);
  } catch (const CLI::Error& error) {
    return hint(fail(Errc::usage, "'{}': {}", command.words, error.what()), help);
  }
  return {};
}

}  // namespace

std::span<const Parameter> global_parameters() { return kGlobal; }

Spelling spelling_of(const Parameter& parameter) {
  Spelling spelling;
  std::string text(parameter.spelling);
  if (text.starts_with('-')) {
    spelling.option = true;
    const auto space = text.find(' ');
    spelling.names = text.substr(0, space);
    if (space != std::string::npos) {
      spelling.takes_value = true;
      spelling.value = text.substr(space + 1);
      if (spelling.value.ends_with("...")) {
        spelling.repeatable = true;
        spelling.value.resize(spelling.value.size() - 3);
      }
    }
    spelling.key = spelling.names.substr(spelling.names.find("--") + 2);
    return spelling;
  }
  spelling.takes_value = true;
  spelling.required = !text.starts_with('[');
  if (!spelling.required) text = text.substr(1, text.size() - 2);
  if (text.ends_with("...")) {
    spelling.repeatable = true;
    text.resize(text.size() - 3);
  }
  spelling.names = spelling.key = text;
  return spelling;
}

Result<Asked> parse_command_line(const std::vector<std::string>& arguments) {
  // What follows "--" belongs to somebody else (exec) or is all positions: CLI11 sees it only in the second case.
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::vector<std::string> ours(arguments.begin(), dashes);
  const bool has_rest = dashes != arguments.end();
  std::vector<std::string> rest(has_rest ? dashes + 1 : dashes, arguments.end());

  // Global options that take a value may stand before the words.
  std::vector<std::string> words;
  std::vector<std::size_t> word_positions;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] == "--version") return Asked{.version = true};
    if (!ours[i].starts_with('-')) {
      words.push_back(ours[i]);
      word_positions.push_back(i);
    } else if (ours[i] == "--project" || ours[i] == "--machine" || ours[i] == "--nix" || ours[i] == "--nixpkgs" ||
               ours[i] == "--flake" || ours[i] == "--color") {
      ++i;
    }
  }

  Asked asked;
  std::size_t best = 0;
  for (const Command* command : commands()) {
    const auto parts = split(command->words, ' ');
    const std::size_t matched = matching_words(parts, words);
    best = std::max(best, matched);
    if (matched == parts.size() && (asked.command == nullptr || parts.size() > asked.words.size())) {
      asked.command = command;
      asked.words = parts;
    }
  }
  const bool wants_help =
      std::any_of(ours.begin(), ours.end(), [](const auto& a) { return a == "--help" || a == "-h"; });
  if (asked.command == nullptr) {
    if (best < words.size()) return unknown_word(words, best);
    asked.words = words;
    asked.help = wants_help;
    if (!wants_help && !words.empty()) {
      std::string noun;
      for (const std::string& word : words) noun += (noun.empty() ? "" : " ") + word;
      std::string verbs;
      for (const Command* command : commands()) {
        const auto parts = split(command->words, ' ');
        if (parts.size() > words.size() && matching_words(parts, words) == words.size() &&
            !verbs.contains(" " + parts[words.size()] + ","))
          verbs += " " + parts[words.size()] + ",";
      }
      if (!verbs.empty()) verbs.pop_back();
      return hint(fail(Errc::usage, "'vmcred {}' needs a verb:{}", noun, verbs),
                  fmt::format("'vmcred {} --help' says what each does", noun));
    }
    asked.help = true;
    return asked;
  }
  if (wants_help) {
    asked.help = true;
    return asked;
  }

  std::vector<std::string> remaining;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const auto word = std::find(word_positions.begin(), word_positions.end(), i);
    if (word == word_positions.end() || static_cast<std::size_t>(word - word_positions.begin()) >= asked.words.size()) {
      remaining.push_back(ours[i]);
    }
  }
  CLI::App app;
  app.set_help_flag();
  std::list<Slot> slots;
  const bool lists = std::ranges::none_of(asked.command->parameters,
                                          [](const Parameter& each) { return !each.spelling.starts_with('-'); });
  for (const Parameter& parameter : asked.command->parameters) add(app, slots, parameter, lists);
  const std::size_t own = slots.size();
  for (const Parameter& parameter : kGlobal) add(app, slots, parameter, false);
  if (has_rest && asked.command->rest == Rest::none) {
    remaining.emplace_back("--");
    remaining.insert(remaining.end(), rest.begin(), rest.end());
  }
  TRY(parse_with(app, remaining, *asked.command, slots));
  std::size_t index = 0;
  for (const Slot& slot : slots) store(index++ < own ? asked.given : asked.global, slot);
  if (asked.command->rest != Rest::none && has_rest) {
    asked.given.mark("REST");
    for (const std::string& word : rest) asked.given.add("REST", word);
  }
  return asked;
}

}  // namespace vmcred::app
