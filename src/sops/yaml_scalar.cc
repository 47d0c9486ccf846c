#include "sops/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace vmcred::sops {
namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, text) != words.end();
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes 1 to `most` digits.
std::optional<int> take_number(std::string_view& text, std::size_t most) {
  std::size_t size = 0;
  int value = 0;
  while (size < most && size < text.size() && is_digit(text[size])) value = value * 10 + (text[size++] - '0');
  if (size == 0) return std::nullopt;
  text.remove_prefix(size);
  return value;
}
bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

int days_in(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return kDays.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
}

/// ".5" without trailing zeros; nothing where there is no fraction.
std::optional<std::string> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return "";
  std::size_t size = 1;
  while (size < text.size() && is_digit(text[size])) ++size;
  if (size == 1 || size > 10) return std::nullopt;
  std::string fraction(text.substr(0, size));
  text.remove_prefix(size);
  while (fraction.ends_with('0')) fraction.pop_back();
  return fraction == "." ? "" : fraction;
}

/// 'Z' or "+01:00"; an offset of zero is 'Z'.
std::optional<std::string> take_zone(std::string_view& text) {
  if (take_char(text, 'Z')) return "Z";
  if (text.size() < 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const std::string zone(text.substr(0, 6));
  if (!is_digit(zone[1]) || !is_digit(zone[2]) || !is_digit(zone[4]) || !is_digit(zone[5])) return std::nullopt;
  if (zone.substr(1, 2) > "24" || zone.substr(4) > "60") return std::nullopt;
  text.remove_prefix(6);
  return zone.substr(1) == "00:00" ? "Z" : zone;
}

/// The four forms of a time, given in RFC 3339 with its fraction.
std::optional<std::string> timestamp(std::string_view text) {
  if (text.size() < 8 || !std::ranges::all_of(text.substr(0, 4), is_digit) || text[4] != '-') return std::nullopt;
  const auto year = take_number(text, 4);
  if (!take_char(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !take_char(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || *day < 1 || *day > days_in(*year, *month)) return std::nullopt;
  const std::string date = fmt::format("{:04}-{:02}-{:02}T", *year, *month, *day);
  if (text.empty()) return date + "00:00:00Z";
  const bool zoned = text.starts_with('T') || text.starts_with('t');
  if (!zoned && !text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take_char(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take_char(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto zone = zoned ? take_zone(text) : std::optional<std::string>("Z");
  if (!fraction || !zone || !text.empty()) return std::nullopt;
  return fmt::format("{}{:02}:{:02}:{:02}{}{}", date, *hour, *minute, *second, *fraction, *zone);
}

/// Go's strconv with base 0: 0x, 0o, 0b and a leading 0 choose the base.
enum class Parsed : std::uint8_t { no, yes, too_large };
Parsed parse_integer(std::string_view text, std::string& out) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error == std::errc::invalid_argument || end != text.data() + text.size()) return Parsed::no;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (error == std::errc::result_out_of_range) return Parsed::no;  // then Go takes it for a float
  if (value > kMost + (negative ? 1 : 0)) return negative ? Parsed::no : Parsed::too_large;
  out = fmt::format("{}{}", negative && value != 0 ? "-" : "", value);
  return Parsed::yes;
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto take_digits = [&] {
    const std::size_t size = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(size);
    return size > 0;
  };
  const bool whole = take_digits();
  if (take_char(text, '.')) {
    if (!take_digits() && !whole) return false;
  } else if (!whole) {
    return false;
  }
  if (take_char(text, 'e') || take_char(text, 'E')) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (!take_digits()) return false;
  }
  return text.empty();
}

}  // namespace

Result<Scalar> resolve_plain_scalar(std::string_view text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return Scalar{.type = Node::Type::null};
  if (is_one_of(text, {"true", "True", "TRUE"})) return Scalar{.type = Node::Type::boolean, .text = "True"};
  if (is_one_of(text, {"false", "False", "FALSE"})) return Scalar{.type = Node::Type::boolean, .text = "False"};
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return Scalar{.type = Node::Type::number, .text = "NaN"};
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    return Scalar{.type = Node::Type::number, .text = "+Inf"};
  }
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return Scalar{.type = Node::Type::number, .text = "-Inf"};
  const char first = text.front();
  const bool number_like = is_digit(first) || first == '+' || first == '-' || first == '.';
  if (!number_like) return Scalar{.text = std::string(text)};
  if (auto time = timestamp(text)) return Scalar{.type = Node::Type::time, .text = *std::move(time)};
  std::string plain(text);
  if (first != '.') std::erase(plain, '_');
  std::string integer;
  switch (first == '.' ? Parsed::no : parse_integer(plain, integer)) {
    case Parsed::yes:
      return Scalar{.type = Node::Type::number, .text = std::move(integer)};
    case Parsed::too_large:
      return fail(Errc::invalid_data, "the number '{}' is larger than any that sops reads", text);
    case Parsed::no:
      break;
  }
  if (!is_float(plain)) return Scalar{.text = std::string(text)};
  double value = 0;
  const std::string_view digits = std::string_view(plain).substr(plain.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return Scalar{.text = std::string(text)};
  return Scalar{.type = Node::Type::number, .text = float_text(value)};
}

}  // namespace vmcred::sops
