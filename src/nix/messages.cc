#include "nix/messages.h"

#include <algorithm>
#include <optional>

#include "base/json.h"
#include "base/spelling.h"
#include "base/text.h"

namespace vmcred::nix {
namespace {

constexpr std::string_view kOurs = "vmcred:{";
constexpr std::string_view kOursEnd = "}:vmcred";
constexpr std::string_view kEvaluating = "evaluating file '";
constexpr std::string_view kRead = "trace: vmcred-read:";
constexpr std::size_t kMaxListed = 12;  // more names help nobody
constexpr std::size_t kLeastWord = 3;   // shorter words are near to everything

/// What a file made nix say, for a terminal: one line of bounded length, without control characters.
std::string fit_to_print(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (text.size() <= kMaxMessage) return text;
  std::size_t end = kMaxMessage;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  text.resize(end);
  return text + "\u2026";
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

/// "at /path/host.nix:12:5:" -> "/path/host.nix:12:5"; nothing for places inside our own text.
std::optional<std::string> place_in(std::string_view line) {
  line = trimmed(line);
  const auto start = line.find("at /");
  if (start == std::string_view::npos || (start > 0 && line[start - 1] != ' ')) return {};
  line.remove_prefix(start + 3);
  while (line.ends_with(':')) line.remove_suffix(1);
  const auto column = line.rfind(':');
  if (column == std::string_view::npos || line.find_first_not_of("0123456789", column + 1) != std::string_view::npos)
    return {};
  return std::string(line);
}

/// 'x' out of "undefined variable 'x'"
std::string quoted_word(std::string_view text) {
  const auto start = text.find('\'');
  const auto end = start == std::string_view::npos ? start : text.find('\'', start + 1);
  return end == std::string_view::npos ? "" : std::string(text.substr(start + 1, end - start - 1));
}

std::string remedy_for(std::string_view sentence, const std::vector<std::string>& known) {
  if (sentence.starts_with("undefined variable")) {
    const std::string near = did_you_mean(quoted_word(sentence), known);
    return near.empty() ? "a module gets config, pkgs and lib by naming them: { config, pkgs, lib, ... }:" : near;
  }
  if (sentence.starts_with("attribute ") && sentence.ends_with(" missing")) {
    const std::string word = quoted_word(sentence);
    return word.size() < kLeastWord ? "" : did_you_mean(word, known);
  }
  if (sentence.find("infinite recursion") != std::string_view::npos ||
      sentence.find("stack overflow") != std::string_view::npos) {
    return "a definition depends on its own outcome; lib.mkIf looks at its condition late, 'if' does not";
  }
  if (sentence.starts_with("unable to download") || sentence.contains("esolve host") ||
      sentence.contains("ould not connect")) {
    return "a Nix file is evaluated without network: keep what it fetches beside it, or make that an input of a flake "
           "(--flake)";
  }
  if (sentence.find("was not found in the Nix search path") != std::string_view::npos)
    return "name the nixpkgs to use with --nixpkgs";
  return {};
}

/// What nixpkgs' lib takes from nix, where that is too old to have it.
bool too_old_for_nixpkgs(std::string_view sentence) {
  constexpr std::string_view kNewer[] = {"convertHash", "parseFlakeRef", "flakeRefToString", "toFileWithReferences",
                                         "warn"};
  return sentence.starts_with("attribute '") && sentence.ends_with("' missing") &&
         std::ranges::find(kNewer, quoted_word(sentence)) != std::end(kNewer);
}

/// Our evaluator throws JSON between two marks.
std::optional<Error> our_error(std::string_view text) {
  const auto start = text.find(kOurs);
  if (start == std::string_view::npos) return {};
  const auto end = text.find(kOursEnd, start);
  if (end == std::string_view::npos) return {};
  const auto thrown = parse_json(text.substr(start + kOurs.size() - 1, end - start - kOurs.size() + 2));
  if (!thrown || thrown->string_at("message").empty()) return {};  // a text of nix that only looks like ours
  Error error{Errc::invalid_data, thrown->string_at("message"), thrown->string_at("hint")};
  if (const Json* position = thrown->find("position"); position != nullptr && position->if_object() != nullptr) {
    const Json* line = position->find("line");
    const Json* column = position->find("column");
    std::string place = position->string_at("file");
    if (line != nullptr && line->if_integer() != nullptr && *line->if_integer() > 0 && column != nullptr &&
        column->if_integer() != nullptr) {
      place += fmt::format(":{}:{}", *line->if_integer(), *column->if_integer());
    }
    error.message = fmt::format("{}: {}", place, error.message);
  }
  std::vector<std::string> candidates;
  if (const Json* all = thrown->find("candidates"); all != nullptr && all->if_array() != nullptr) {
    for (const Json& each : *all->if_array())
      if (each.if_string() != nullptr) candidates.push_back(*each.if_string());
  }
  if (error.hint.empty() && !candidates.empty()) {
    error.hint = did_you_mean(thrown->string_at("word"), candidates);
    if (error.hint.empty() && candidates.size() <= kMaxListed) {
      for (const std::string& each : candidates) error.hint += (error.hint.empty() ? "it has " : ", ") + each;
    }
  }
  return error;
}

/// What nix itself says: the innermost error, and where in the user's files it happened.
struct Told {
  std::string sentence;
  std::optional<std::string> place;
};

Told innermost(std::string_view stderr_text) {
  // The innermost error is the last one. Its place follows it, or the place of the innermost trace: nix before 2.20
  // prints traces after the error, the innermost first; later versions before it, the innermost last.
  Told told;
  auto& [sentence, place] = told;
  std::optional<std::string> place_before;
  bool in_sentence = false;
  for (std::string_view rest = stderr_text; !rest.empty();) {
    const std::string_view line = take_until(rest, '\n');
    const std::string_view text = trimmed(line);
    if (text.starts_with("error:")) {
      sentence = trimmed(text.substr(6));
      if (place) place_before = std::move(place);
      place.reset();
      in_sentence = true;
    } else if (auto at = place_in(line)) {
      if (!place) place = std::move(at);
      in_sentence = false;
    } else if (text.empty() || text.starts_with("at ") || text.starts_with("\u2026")) {
      in_sentence = in_sentence && sentence.empty();
    } else if (in_sentence && sentence.size() < kMaxMessage) {
      if (!sentence.empty()) sentence += ' ';
      sentence += text;
    }
  }
  if (const auto advice = sentence.find(" (use '--show-trace'"); advice != std::string::npos) sentence.resize(advice);
  if (sentence.empty()) sentence = "nix failed without a message";
  if (!place) place = std::move(place_before);
  return told;
}

}  // namespace

Error error_of(std::string_view stderr_text, const std::vector<std::string>& known) {
  const Told told = innermost(stderr_text);
  auto ours = our_error(stderr_text);
  Error error = ours ? *std::move(ours) : Error{Errc::invalid_data, told.sentence, remedy_for(told.sentence, known)};
  if (!ours && too_old_for_nixpkgs(told.sentence)) {
    error.message = "this nix is too old for that nixpkgs, whose lib needs 2.18 or newer (" + error.message + ")";
    error.hint =
        "install a newer nix (Debian 13 has 2.26; 'nix --version' says which this is), or evaluate without --nixpkgs "
        "and --flake";
  }
  if (told.place && !has_place(error)) error.message = fmt::format("{}: {}", *told.place, error.message);
  error.message = fit_to_print(std::move(error.message));
  error.hint = fit_to_print(std::move(error.hint));
  return error;
}

bool has_place(const Error& error) { return error.message.starts_with('/'); }

Reads reads_of(std::string_view stderr_text) {
  Reads reads;
  while (!stderr_text.empty()) {
    const std::string_view line = take_until(stderr_text, '\n');
    if (line.starts_with(kEvaluating))
      reads.evaluated.emplace_back(line.substr(kEvaluating.size(), line.rfind('\'') - kEvaluating.size()));
    if (line.starts_with(kRead)) reads.values.emplace_back(line.substr(kRead.size()));
  }
  return reads;
}

}  // namespace vmcred::nix
