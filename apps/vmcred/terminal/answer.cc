#include "terminal/answer.h"

#include <unistd.h>

#include <algorithm>

#include "base/base64.h"
#include "base/fd.h"
#include "base/text.h"

namespace vmcred::app {
namespace {

/// Of every shape, until one of them changes in a way that breaks its readers.
constexpr int kVersion = 1;

/// A vm may run for months and its VMM may say something every second.
constexpr std::size_t kMostNotes = 1000;

std::string_view kind_of(Errc code) {
  switch (code) {
    case Errc::usage:
      return "usage";
    case Errc::not_found:
      return "not_found";
    case Errc::denied:
      return "denied";
    case Errc::invalid_data:
      return "invalid_data";
    case Errc::io:
      return "io";
    case Errc::unavailable:
      return "unavailable";
    case Errc::mismatch:
      break;
  }
  return "mismatch";
}

Json with_schema(std::string_view command) { return Json::object().set("schema", schema_name(command)); }

}  // namespace

void Answer::add(std::string_view member, Json element) {
  for (auto& [name, value] : *members_.if_object()) {
    if (name != member) continue;
    value.push(std::move(element));
    return;
  }
  members_.set(std::string(member), Json::array().push(std::move(element)));
}

void Answer::say(std::string_view lines) {
  while (!lines.empty() && notes_.size() < kMostNotes) notes_.emplace_back(take_until(lines, '\n'));
}

std::string Answer::text(std::string_view command, const Error* error) && {
  Json whole = with_schema(command);
  for (auto& [name, value] : *members_.if_object()) whole.set(std::move(name), std::move(value));
  if (!notes_.empty()) whole.set("notes", Json::strings(notes_));
  if (error != nullptr) whole.set("error", error->message).set("hint", error->hint).set("kind", kind_of(error->code));
  return dump_json(whole, Indent::two_spaces);
}

void answer_with(const World& world, const Json& object) {
  for (const auto& [name, value] : *object.if_object()) answer_with(world, name, value);
}

void answer_with(const World& world, std::string member, Json value) {
  if (world.answer) world.answer->set(std::move(member), std::move(value));
}

void answer_also(const World& world, std::string_view member, Json element) {
  if (world.answer) world.answer->add(member, std::move(element));
}

Result<> answer_with_secret(const World& world, const Json& about, const Secret& value) {
  Json whole = with_schema(world.command);
  for (const auto& [name, member] : *about.if_object()) whole.set(name, member);
  whole.set("bytes", value.size()).set("encoding", "base64");
  std::string head = dump_json(whole);
  head.pop_back();  // the brace, which stands behind the value
  const Secret encoded = base64_encode_secret(value.bytes());
  const Fd out(::dup(world.out));
  TRY(write_all(out, head + ",\"value\":\""));
  TRY(write_all(out, encoded.text()));
  TRY(write_all(out, "\"}\n"));
  if (world.answer) world.answer->leave_it();
  return {};
}

void answer_as_it_is(const World& world, std::string_view json) {
  if (!world.json) return print(world, json);
  print_bytes(world, json);
  if (world.answer) world.answer->leave_it();
}

std::string schema_name(std::string_view command) {
  if (command.empty()) return fmt::format("vmcred/{}", kVersion);
  std::string name(command);
  std::ranges::replace(name, ' ', '-');
  return fmt::format("vmcred.{}/{}", name, kVersion);
}

void print_answer(const World& world, const Error* error) {
  if (world.answer && !world.answer->printed()) print_bytes(world, std::move(*world.answer).text(world.command, error));
}

}  // namespace vmcred::app
