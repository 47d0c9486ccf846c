// What a subcommand is: a row of the table with its parameters, and a function that parses nothing and prints itself.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vmcred::app {

/// Exit codes, pinned by tests: 0 done, 1 failed or refused (an Error), 2 usage, 3 findings.
enum class Exit : std::uint8_t { done = 0, failed = 1, usage = 2, findings = 3 };

/// A parameter of a command. The spelling decides its kind:
///   "NAME" required position · "[NAME]" optional position · "NAME..." one or more · "[NAME...]" any number
///   "--flag" switch · "--option VALUE" · "-g,--generator VALUE..." repeatable, with a short name;
///   PATH... and FILE... take several in a row, where the command has no positions
struct Parameter {
  std::string_view spelling;
  std::string_view help;
};

/// What was given, by the name without dashes and brackets ("NAME" for positions, "generator" for options).
class Given {
 public:
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(std::string(name)); }
  /// The only (or last) value; "" when it was not given.
  [[nodiscard]] std::string at(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> all(std::string_view name) const;
  void add(const std::string& name, std::string value) { values_[name].push_back(std::move(value)); }
  void mark(const std::string& name) { values_[name]; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

class Answer;

/// The world as a command sees it: where text goes, what was asked for globally, environment and clock. Commands read
/// the environment only through env().
struct World {
  int out = 1;
  int err = 2;
  std::string project;  ///< --project, else the nearest folder upwards with a declaration, else "."
  std::string machine;  ///< --machine, may be empty
  std::string nix;      ///< --nix, may be empty
  std::string nixpkgs;  ///< --nixpkgs, may be empty
  std::string flake;    ///< --flake, may be empty
  bool json = false;
  std::shared_ptr<Answer> answer = {};  ///< with --json: what is printed at the end (terminal/answer.h)
  std::string command;                  ///< the words of the command that runs
  bool quiet = false;
  bool verbose = false;
  bool color_out = false;  ///< colour on stdout
  bool color_err = false;
  bool tty_err = false;  ///< a progress line may be drawn on stderr
  std::map<std::string, std::string> environment = {};
  const Clock* clock = &real_clock();
  [[nodiscard]] std::string env(std::string_view name) const;
};

/// Prints text to World::out; a closed pipe ends the program quietly. What would steer a terminal comes out as '?',
/// whoever wrote it: names, paths and messages of others are in there. With --json it goes the way of
/// note(): standard output is the answer\'s.
void print(const World& world, std::string_view text);
/// The same for bytes that are meant as they are: a guest's console, a file to be kept.
void print_bytes(const World& world, std::string_view bytes);
/// Prints a line to World::err unless --quiet, tamed as by print().
void note(const World& world, std::string_view text);

/// "-- VMM ARGS...": all after "--" is given as "REST".
enum class Rest : std::uint8_t { none, optional, required };

using Run = Result<Exit> (*)(const Given& given, World& world);

struct Command {
  std::string_view words;    ///< "vars generate"
  std::string_view summary;  ///< one line for the list
  std::string_view manual;   ///< paragraphs for --help and the man page
  std::span<const Parameter> parameters;
  Run run;
  Rest rest = Rest::none;
};

}  // namespace vmcred::app
