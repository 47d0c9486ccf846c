#include "generate/text_view.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace vmcred::generate {
namespace {

/// A view that is written character by character, never longer than the one it comes from.
class Copy {
 public:
  explicit Copy(const TextView& from) : from_(from), made_{.text = Secret(from.text.size()), .begin = {}, .end = {}} {}
  /// Adds `byte`, which stands for `count` characters from `at` on.
  void put(char byte, std::size_t at, std::size_t count = 1) {
    made_.text.writable()[made_.begin.size()] = static_cast<std::uint8_t>(byte);
    made_.begin.push_back(from_.begin[at]);
    made_.end.push_back(from_.end[at + count - 1]);
  }
  TextView take() {
    made_.text.shrink_to(made_.begin.size());
    return std::move(made_);
  }

 private:
  const TextView& from_;
  TextView made_;
};

/// What an escape at the beginning of a text stands for.
struct Meaning {
  std::array<char, 4> bytes = {};
  std::size_t size = 0;
  std::size_t length = 0;  ///< of the escape; 0: it is none
};

Meaning one(char byte, std::size_t length) { return {.bytes = {byte}, .size = 1, .length = length}; }

std::optional<unsigned> digit(char c, unsigned base) {
  const auto value = static_cast<unsigned>(c >= '0' && c <= '9'   ? c - '0'
                                           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                                  : 99);
  return value < base ? std::optional(value) : std::nullopt;
}

struct Number {
  unsigned value = 0;
  std::size_t digits = 0;
};
Number number_at(std::string_view text, std::size_t at, unsigned base, std::size_t most) {
  Number number;
  for (; number.digits < most && at < text.size(); ++at, ++number.digits) {
    const auto next = digit(text[at], base);
    if (!next) break;
    number.value = number.value * base + *next;
  }
  return number;
}

Meaning utf8(unsigned point, std::size_t length) {
  const auto byte = [](unsigned value) { return static_cast<char>(value); };
  if (point < 0x80) return one(byte(point), length);
  if (point < 0x800)
    return {.bytes = {byte(0xc0 | point >> 6U), byte(0x80 | (point & 63U))}, .size = 2, .length = length};
  if (point < 0x10000)
    return {.bytes = {byte(0xe0 | point >> 12U), byte(0x80 | (point >> 6U & 63U)), byte(0x80 | (point & 63U))},
            .size = 3,
            .length = length};
  return {.bytes = {byte(0xf0 | (point >> 18U & 7U)), byte(0x80 | (point >> 12U & 63U)),
                    byte(0x80 | (point >> 6U & 63U)), byte(0x80 | (point & 63U))},
          .size = 4,
          .length = length};
}

Meaning hex_pair(std::string_view text) {
  const Number number = number_at(text, 1, 16, 2);
  return number.digits == 2 ? one(static_cast<char>(number.value), 3) : Meaning{};
}

Meaning unicode_escape(std::string_view text) {
  const Number first = number_at(text, 2, 16, 4);
  if (first.digits < 4) return {};
  if (first.value < 0xd800 || first.value >= 0xdc00 || !text.substr(6).starts_with("\\u")) return utf8(first.value, 6);
  const Number second = number_at(text, 8, 16, 4);
  if (second.digits < 4 || second.value < 0xdc00 || second.value >= 0xe000) return utf8(first.value, 6);
  return utf8(0x10000 + ((first.value - 0xd800) << 10U) + (second.value - 0xdc00), 12);
}

Meaning backslash(std::string_view text) {
  constexpr std::string_view kLetters = "ntrbfave";
  constexpr std::string_view kBytes = "\n\t\r\b\f\a\v\x1b";
  if (text.size() < 2) return {};
  const char letter = text[1];
  if (const std::size_t place = kLetters.find(letter); place != std::string_view::npos) return one(kBytes[place], 2);
  if (letter == 'u') return unicode_escape(text);
  if (letter == 'x') {
    const Number number = number_at(text, 2, 16, 2);
    return number.digits > 0 ? one(static_cast<char>(number.value), 2 + number.digits) : Meaning{};
  }
  if (const Number number = number_at(text, 1, 8, 3); number.digits > 0)
    return one(static_cast<char>(number.value), 1 + number.digits);
  return one(letter, 2);
}

Meaning entity(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed = {
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  for (const auto& [name, byte] : kNamed)
    if (text.starts_with(name)) return one(byte, name.size());
  if (!text.starts_with("&#")) return {};
  const bool hex = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  const Number number = number_at(text, hex ? 3 : 2, hex ? 16 : 10, 7);
  const std::size_t length = (hex ? 3 : 2) + number.digits;
  return number.digits > 0 && length < text.size() && text[length] == ';' ? utf8(number.value, length + 1) : Meaning{};
}

Meaning meaning_of(std::string_view text, Escapes kind) {
  if (kind == Escapes::form && text[0] == '+') return one(' ', 1);
  if (text[0] != escape_sign(kind)) return {};
  switch (kind) {
    case Escapes::percent:
    case Escapes::form:
      return hex_pair(text);
    case Escapes::printable:
      if (text.starts_with("=\n") || text.starts_with("=\r\n")) return {.length = text[1] == '\n' ? 2U : 3U};
      return hex_pair(text);
    case Escapes::backslash:
      return backslash(text);
    case Escapes::entities:
      break;
  }
  return entity(text);
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

TextView TextView::of(std::string_view text) {
  TextView view{.text = Secret::copy_of(text), .begin = {}, .end = {}};
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    view.begin.push_back(i);
    view.end.push_back(i + 1);
  }
  return view;
}

char escape_sign(Escapes kind) {
  switch (kind) {
    case Escapes::percent:
    case Escapes::form:
      return '%';
    case Escapes::backslash:
      return '\\';
    case Escapes::printable:
      return '=';
    case Escapes::entities:
      break;
  }
  return '&';
}

TextView decoded(const TextView& view, Escapes kind) {
  Copy copy(view);
  const std::string_view text = view.text.text();
  for (std::size_t at = 0; at < text.size();) {
    const Meaning meaning = meaning_of(text.substr(at), kind);
    if (meaning.length == 0) {
      copy.put(text[at], at);
      ++at;
      continue;
    }
    for (std::size_t i = 0; i < meaning.size; ++i) copy.put(meaning.bytes[i], at, meaning.length);
    at += meaning.length;
  }
  return copy.take();
}

TextView unwrapped(const TextView& view) {
  Copy copy(view);
  const std::string_view text = view.text.text();
  for (std::size_t at = 0; at < text.size(); ++at)
    if (!is_space(text[at])) copy.put(text[at], at);
  return copy.take();
}

TextView hex_digits(const TextView& view) {
  Copy copy(view);
  const std::string_view text = view.text.text();
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : ' ';
    if ((c == '0' || c == '\\') && (next == 'x' || next == 'X')) {
      ++at;
    } else if (!is_space(c) && std::string_view(":-,;._'\"").find(c) == std::string_view::npos) {
      copy.put(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c, at);
    }
  }
  return copy.take();
}

}  // namespace vmcred::generate
