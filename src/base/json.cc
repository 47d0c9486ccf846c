#include "base/json.h"

#include "base/json_numbers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

namespace vmcred {
namespace {

/// The object being read at one depth. A few keys are compared one by one, many through a set.
struct Level {
  std::string key = {};
  std::unordered_set<std::string> seen = {};

  bool is_new(const std::string& name, const Json::Object& members) {
    constexpr std::size_t kFew = 16;
    if (members.size() < kFew) {
      return std::none_of(members.begin(), members.end(), [&name](const auto& member) { return member.first == name; });
    }
    if (seen.empty()) {
      for (const auto& [existing, value] : members) seen.insert(existing);
    }
    return seen.insert(name).second;
  }
};

/// Builds our tree from the library's events and refuses what the library would let pass.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::size_t max_depth, bool large_numbers) : max_depth_(max_depth), large_numbers_(large_numbers) {}

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(number_integer_t value) override { return put(Json(static_cast<std::int64_t>(value))); }
  bool number_unsigned(number_unsigned_t value) override {
    const bool large = value > static_cast<number_unsigned_t>(INT64_MAX);
    if (large && large_numbers_) return put(Json(static_cast<double>(value)));
    if (large) return refuse(fmt::format("the integer {} is too large", value));
    return put(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    // An integer that fits no 64 bits comes as a float: say so rather than lose digits.
    if (!large_numbers_ && text.find_first_of(".eE") == std::string::npos)
      return refuse(fmt::format("the integer {} is too large", text));
    return put(Json(value));
  }
  bool string(string_t& value) override { return put(Json(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return refuse("binary values are no JSON"); }
  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (!levels_.back().is_new(name, *open_.back().if_object())) {
      return refuse(fmt::format("the key '{}' stands there twice", name));
    }
    levels_.back().key = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*last*/,
                   const nlohmann::detail::exception& error) override {
    // The library's text: "[json.exception.parse_error.101] parse error at line 1, column 2: …". Ours names the place
    // itself, and drops the library's quotation of the input: it could hold a value.
    std::string text = error.what();
    if (const auto colon = text.find(": "); colon != std::string::npos) text = text.substr(colon + 2);
    if (const auto quote = text.find("; last read"); quote != std::string::npos) text.resize(quote);
    position_ = position;
    return refuse(text);
  }

  Json result = {};
  std::string problem = {};
  std::size_t position_ = 0;

 private:
  bool refuse(std::string text) {
    problem = std::move(text);
    return false;
  }
  bool put(Json value) {
    if (open_.empty()) {
      result = std::move(value);
    } else if (open_.back().if_array() != nullptr) {
      open_.back().if_array()->push_back(std::move(value));
    } else {
      open_.back().if_object()->emplace_back(std::move(levels_.back().key), std::move(value));
    }
    return true;
  }
  bool open(Json container) {
    if (open_.size() >= max_depth_) return refuse(fmt::format("nested deeper than {}", max_depth_));
    open_.push_back(std::move(container));
    levels_.emplace_back();
    return true;
  }
  bool close() {
    Json done = std::move(open_.back());
    open_.pop_back();
    levels_.pop_back();
    return put(std::move(done));
  }

  std::size_t max_depth_;
  bool large_numbers_;
  std::vector<Json> open_ = {};
  std::vector<Level> levels_ = {};
};

/// Counts what the library has read, so that a refusal of ours can name its place.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  CountingIterator(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    *seen_ = at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** seen_;
};

nlohmann::ordered_json to_library(const Json& value) {
  if (const auto* b = value.if_bool()) return *b;
  if (const auto* i = value.if_integer()) return *i;
  if (const auto* d = value.if_double()) return *d;
  if (const auto* s = value.if_string()) return *s;
  if (const auto* array = value.if_array()) {
    auto result = nlohmann::ordered_json::array();
    auto& elements = result.get_ref<nlohmann::ordered_json::array_t&>();
    elements.reserve(array->size());
    for (const Json& element : *array) elements.push_back(to_library(element));
    return result;
  }
  if (const auto* object = value.if_object()) {
    auto result = nlohmann::ordered_json::object();
    // Keys are unique here: the library need not look for each among all before it, nor copy members that have constant
    // keys.
    auto& members = result.get_ref<nlohmann::ordered_json::object_t&>();
    members.reserve(object->size());
    for (const auto& [key, member] : *object) members.emplace_back(key, to_library(member));
    return result;
  }
  return nullptr;
}

/// The controls that JSON lets stand as they are, DEL and U+0080 to U+009F, as escapes: a terminal would obey them.
void escape_late_controls(std::string& text) {
  constexpr char kDelete = '\x7f';
  constexpr char kLead = '\xc2';
  if (text.find_first_of("\x7f\xc2") == std::string::npos) return;
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool late = text[i] == kLead && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (text[i] == kDelete || late) {
      if (late) ++i;
      escaped += fmt::format("\\u00{:02x}", static_cast<unsigned char>(text[i]));
    } else {
      escaped += text[i];
    }
  }
  text = std::move(escaped);
}

}  // namespace

Json Json::strings(const std::vector<std::string>& values) {
  Array array;
  array.reserve(values.size());
  for (const std::string& value : values) array.emplace_back(value);
  return array;
}

const Json* Json::find(std::string_view key) const {
  const Object* object = if_object();
  if (object == nullptr) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string Json::string_at(std::string_view key) const {
  const Json* member = find(key);
  const std::string* text = member != nullptr ? member->if_string() : nullptr;
  return text != nullptr ? *text : "";
}

Json& Json::set(std::string key, Json value) {
  if (is_null()) value_ = Object{};
  Object& object = std::get<Object>(value_);
  for (auto& [name, existing] : object) {
    if (name == key) {
      existing = std::move(value);
      return *this;
    }
  }
  object.emplace_back(std::move(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

namespace {

Result<Json> parse(std::string_view text, const JsonLimits& limits, bool large_numbers) {
  if (text.size() > limits.max_bytes) return fail(Errc::invalid_data, "larger than {} bytes", limits.max_bytes);
  Builder builder(limits.max_depth, large_numbers);
  const char* seen = text.data();
  const char* const end = text.data() + text.size();
  bool good = false;
  try {
    good = nlohmann::json::sax_parse(CountingIterator(text.data(), &seen), CountingIterator(end, &seen), &builder);
  } catch (const nlohmann::json::exception&) {
    builder.problem = "not readable";
  }
  if (good && text.contains('\0')) {  // the library takes it for the end, whatever follows
    seen = text.data() + text.find('\0');
    builder.problem = "a zero byte is no JSON";
    good = false;
  }
  if (good) return std::move(builder.result);
  const std::string_view before(text.data(), static_cast<std::size_t>(seen - text.data()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? before.size() : before.size() - newline - 1;
  return fail(Errc::invalid_data, "line {}, column {}: {}", line, column, builder.problem);
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) { return parse(text, limits, false); }

Result<Json> parse_json_with_large_numbers(std::string_view text, const JsonLimits& limits) {
  return parse(text, limits, true);
}

std::string dump_json(const Json& value, Indent indent) {
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  const nlohmann::ordered_json tree = to_library(value);
  std::string text = indent == Indent::none  ? tree.dump(-1, ' ', false, replace)
                     : indent == Indent::tab ? tree.dump(1, '\t', false, replace)
                                             : tree.dump(2, ' ', false, replace);
  if (indent == Indent::none) return text;
  text += '\n';
  escape_late_controls(text);
  return text;
}

}  // namespace vmcred
