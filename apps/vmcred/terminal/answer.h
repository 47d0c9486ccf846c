// What a command answers with --json: one object on standard output, whatever happens.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/secret.h"
#include "command.h"

namespace vmcred::app {

/// The object as it grows while the command works. docs/json.md has the shapes.
class Answer {
 public:
  void set(std::string member, Json value) { members_.set(std::move(member), std::move(value)); }
  /// Appends to an array, which the first element makes.
  void add(std::string_view member, Json element);
  /// Lines that people read on standard error.
  void say(std::string_view lines);
  /// The command has printed the object itself.
  void leave_it() { printed_ = true; }
  [[nodiscard]] bool printed() const { return printed_; }

  /// The text of it, at its end: the schema's name, what was set, what was said, and the error that ended the command
  /// (may be null).
  [[nodiscard]] std::string text(std::string_view command, const Error* error) &&;

 private:
  Json members_ = Json::object();
  std::vector<std::string> notes_ = {};
  bool printed_ = false;
};

/// Sets members of the answer; nothing without --json.
void answer_with(const World& world, const Json& object);
void answer_with(const World& world, std::string member, Json value);
void answer_also(const World& world, std::string_view member, Json element);

/// Prints `about` with {"bytes", "encoding": "base64", "value"} behind it. The value is in no other memory than a
/// Secret's.
Result<> answer_with_secret(const World& world, const Json& about, const Secret& value);

/// Prints text that is JSON already and has a shape of its own, with --json or without.
void answer_as_it_is(const World& world, std::string_view json);

/// "vmcred.vars-list/1"
std::string schema_name(std::string_view command);

/// Prints the answer of a command that ended so.
void print_answer(const World& world, const Error* error);

}  // namespace vmcred::app
