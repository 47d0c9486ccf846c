#include "generate/prompts.h"

#include <algorithm>

#include "base/text.h"

namespace vmcred::generate {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool is_plain_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) return false;
      ++i;
      continue;
    }
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    if (byte < 0xc2 || byte > 0xf4 || i + length > text.size()) return false;
    std::uint32_t point = byte & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0U) != 0x80U) return false;
      point = (point << 6U) | (next & 0x3fU);
    }
    const bool too_long = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    if (too_long || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) || (point >= 0x80 && point < 0xa0))
      return false;
    i += length;
  }
  return true;
}

std::string Question::name() const {
  const std::string owner = store::spoken(id).substr(id.generator.size());
  return fmt::format("{}/{}{}", id.generator, prompt->name, owner);
}

std::vector<Question> questions(const Graph& graph, const std::vector<Step>& steps) {
  std::vector<Question> all;
  for (const Step& step : steps) {
    const Task& task = graph.tasks[step.task];
    for (const auto& [name, prompt] : task.generator->prompts) all.push_back({.id = task.id, .prompt = &prompt});
  }
  return all;
}

Result<AnswerSheet> AnswerSheet::parse(const Secret& secret) {
  AnswerSheet sheet;
  std::string_view text = secret.text();
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t first = number;
    const auto refuse = [&](std::string_view why) {
      return hint(fail(Errc::invalid_data, "line {}: {}", first, why),
                  "write GENERATOR/PROMPT = ANSWER, or GENERATOR/PROMPT <<END, lines, END");
    };
    const std::string_view line = take_until(text, '\n');
    if (trimmed(line).empty() || trimmed(line).front() == '#') continue;
    const std::size_t equals = line.find('=');
    const std::size_t here = line.find("<<");
    std::string_view key = trimmed(line.substr(0, std::min(equals, here)));
    if (std::min(equals, here) == std::string_view::npos || key.find('/') == std::string_view::npos)
      return refuse("it is no answer");
    std::string_view value;
    if (equals < here) {
      value = trimmed(line.substr(equals + 1));
    } else {
      const std::string_view mark = trimmed(line.substr(here + 2));
      if (mark.empty()) return refuse("there is no word after '<<'");
      const std::string_view begin = text;
      std::size_t size = 0;
      bool ended = false;
      while (!text.empty() && !ended) {
        const std::size_t before = text.size();
        ++number;
        ended = take_until(text, '\n') == mark;
        if (!ended) size += before - text.size();
      }
      if (!ended) return refuse("the word that ends this answer is missing");
      value = begin.substr(0, size);
    }
    if (!is_plain_text(value)) return refuse("the answer is no plain UTF-8 text");
    if (value.size() > kMaxAnswer) return refuse(fmt::format("the answer is longer than {} bytes", kMaxAnswer));
    if (!sheet.answers_.try_emplace(std::string(key), Answer{.value = Secret::copy_of(value)}).second)
      return refuse("this answer was given before");
  }
  return sheet;
}

const Secret* AnswerSheet::find(const Question& question) {
  const std::string plain = fmt::format("{}/{}", question.id.generator, question.prompt->name);
  for (const std::string& key : {fmt::format("{}:{}", question.id.placement.owner, plain), plain}) {
    const auto found = answers_.find(key);
    if (found == answers_.end()) continue;
    found->second.used = true;
    return &found->second.value;
  }
  return nullptr;
}

std::vector<std::string> AnswerSheet::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, answer] : answers_)
    if (!answer.used) names.push_back(name);
  return names;
}

Result<Answers> collect_answers(const std::vector<Question>& open, AnswerSheet& sheet, bool reuse_stored,
                                const store::Repository& repository, const store::KeyRing& keys, const Ask& ask) {
  Answers answers;
  std::string missing;
  for (const Question& question : open) {
    std::map<std::string, Secret>& place = answers[question.id];
    const std::string& name = question.prompt->name;
    if (const Secret* given = sheet.find(question)) {
      place.emplace(name, given->clone());
      continue;
    }
    const store::VarId stored{.generator = question.id, .file = name};
    if (reuse_stored && question.prompt->persist && repository.has(stored)) {
      TRY_LET(Secret value, repository.read_var(stored, keys));
      place.emplace(name, std::move(value));
      continue;
    }
    if (!ask) {
      missing += (missing.empty() ? "" : ", ") + question.name();
      continue;
    }
    TRY_LET(Secret value, in(fmt::format("ask for {}", question.name()), ask(question)));
    place.emplace(name, std::move(value));
  }
  if (!missing.empty())
    return hint(fail(Errc::unavailable, "nobody is here to answer: {}", missing),
                "give the answers with --answers FILE (or '-' for standard input)");
  return answers;
}

}  // namespace vmcred::generate
