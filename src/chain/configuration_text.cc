#include "chain/configuration_text.h"

#include <yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace vmcred::chain {
namespace {

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxValues = 100'000;

/// Where reading is: in a mapping, with the key whose value comes next, or in a list.
struct Level {
  bool mapping = false;
  bool has_key = false;
  std::string key = {};
  std::size_t index = 0;
};

class Flattener {
 public:
  explicit Flattener(std::string_view text) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (ready_)
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());  // NOLINT: bytes
  }
  Flattener(const Flattener&) = delete;
  Flattener& operator=(const Flattener&) = delete;
  ~Flattener() {
    if (ready_) yaml_parser_delete(&parser_);
  }

  Result<std::vector<Value>> all() {
    if (!ready_) return fail(Errc::unavailable, "libyaml cannot start");
    for (bool more = true; more;) {
      yaml_event_t event = {};
      if (yaml_parser_parse(&parser_, &event) != 1) {
        return fail(Errc::invalid_data, "line {}, column {}: {}", parser_.problem_mark.line + 1,
                    parser_.problem_mark.column + 1, parser_.problem != nullptr ? parser_.problem : "this is no YAML");
      }
      const bool fits = take(event);
      more = event.type != YAML_STREAM_END_EVENT;
      yaml_event_delete(&event);
      if (!fits) return fail(Errc::invalid_data, "it has more than {} values or {} levels", kMaxValues, kMaxDepth);
    }
    return std::move(values_);
  }

 private:
  bool take(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_MAPPING_START_EVENT:
      case YAML_SEQUENCE_START_EVENT:
        levels_.push_back({.mapping = event.type == YAML_MAPPING_START_EVENT});
        return levels_.size() <= kMaxDepth;
      case YAML_MAPPING_END_EVENT:
      case YAML_SEQUENCE_END_EVENT:
        if (!levels_.empty()) levels_.pop_back();
        passed();
        return true;
      case YAML_ALIAS_EVENT:
        passed();
        return true;
      case YAML_SCALAR_EVENT:
        scalar({reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length},
               static_cast<int>(event.start_mark.line) + 1);  // NOLINT: bytes
        return values_.size() <= kMaxValues;
      default:
        return true;
    }
  }

  void scalar(std::string text, int line) {
    if (!levels_.empty() && levels_.back().mapping && !levels_.back().has_key) {
      levels_.back().key = std::move(text);
      levels_.back().has_key = true;
      return;
    }
    Value value = {.keys = {}, .text = std::move(text), .line = line};
    for (const Level& level : levels_)
      value.keys.push_back(level.mapping ? level.key : "[" + std::to_string(level.index) + "]");
    values_.push_back(std::move(value));
    passed();
  }

  /// A value is over: the next scalar of a mapping is a key.
  void passed() {
    if (levels_.empty()) return;
    levels_.back().has_key = false;
    ++levels_.back().index;
  }

  yaml_parser_t parser_ = {};
  bool ready_ = false;
  std::vector<Level> levels_ = {};
  std::vector<Value> values_ = {};
};

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// The number of \uXXXX at `at`, or nothing.
std::optional<unsigned> escape_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kBytes = 6;
  if (text.size() < kBytes || at > text.size() - kBytes || text.substr(at, 2) != "\\u") return {};
  unsigned number = 0;
  const char* const end = text.data() + at + kBytes;
  const auto [stop, error] = std::from_chars(text.data() + at + 2, end, number, 16);
  if (error != std::errc() || stop != end) return {};
  return number;
}

/// JSON writes what is beyond 16 bits as two escapes, which YAML does not know: the character itself takes their place.
std::string without_surrogates(std::string_view text) {
  constexpr unsigned kHigh = 0xD800;
  constexpr unsigned kLow = 0xDC00;
  constexpr unsigned kEnd = 0xE000;
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      plain += text[i++];
      continue;
    }
    const auto high = escape_at(text, i);
    if (!high || *high < kHigh || *high >= kEnd) {
      plain += text.substr(i, 2);
      i += 2;
      continue;
    }
    const auto low = escape_at(text, i + 6);
    if (*high < kLow && low && *low >= kLow && *low < kEnd) {
      const unsigned number = 0x10000 + ((*high - kHigh) << 10U) + (*low - kLow);
      for (const unsigned shift : {18U, 12U, 6U, 0U})
        plain += static_cast<char>(shift == 18 ? 0xF0U | (number >> shift) : 0x80U | ((number >> shift) & 0x3FU));
      i += 12;
    } else {
      plain += "\uFFFD";  // half of a character
      i += 6;
    }
  }
  return plain;
}

}  // namespace

Result<std::vector<Value>> read_values(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool json = first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
  if (json && text.contains("\\u")) return Flattener(without_surrogates(text)).all();
  return Flattener(text).all();
}

std::vector<Value> read_qemu_configuration(std::string_view text) {
  std::vector<Value> values;
  std::string section;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = trimmed(take_until(text, '\n'));
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') == std::string_view::npos ? line.npos : line.find(']') - 1);
      section += "#" + std::to_string(number);  // two sections of one kind are two things
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view value = trimmed(line.substr(equals + 1));
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    values.push_back(
        {.keys = {section, std::string(trimmed(line.substr(0, equals)))}, .text = std::string(value), .line = number});
  }
  return values;
}

std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else if (c == '\\' && quote == '"' && i + 1 < text.size() && std::string_view("\\\"$`").contains(text[i + 1])) {
        word += text[++i];
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      open = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      if (text[++i] != '\n') {
        word += text[i];
        open = true;
      }
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (open) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(std::move(word));
  return words;
}

}  // namespace vmcred::chain
