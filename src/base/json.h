// JSON as a plain ordered tree. Parsed by nlohmann's library in json.cc alone, with what it lets pass refused here.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace vmcred {

/// A JSON value. Objects keep the order of their keys. Not for secrets: dump() leaves copies in memory.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}                                                // NOLINT(google-explicit-constructor)
  Json(bool value) : value_(value) {}                                    // NOLINT(google-explicit-constructor)
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}          // NOLINT(google-explicit-constructor)
  Json(std::int64_t value) : value_(value) {}                            // NOLINT(google-explicit-constructor)
  Json(std::size_t value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                                  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}                // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}           // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}                  // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}                        // NOLINT(google-explicit-constructor)
  Json(Object value) : value_(std::move(value)) {}                       // NOLINT(google-explicit-constructor)
  static Json strings(const std::vector<std::string>& values);
  static Json object() { return Json(Object{}); }
  static Json array() { return Json(Array{}); }

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  /// Each gives the value, or nullptr when it is of another kind.
  [[nodiscard]] const bool* if_bool() const { return std::get_if<bool>(&value_); }
  [[nodiscard]] const std::int64_t* if_integer() const { return std::get_if<std::int64_t>(&value_); }
  [[nodiscard]] const double* if_double() const { return std::get_if<double>(&value_); }
  [[nodiscard]] const std::string* if_string() const { return std::get_if<std::string>(&value_); }
  [[nodiscard]] const Array* if_array() const { return std::get_if<Array>(&value_); }
  [[nodiscard]] const Object* if_object() const { return std::get_if<Object>(&value_); }
  [[nodiscard]] Array* if_array() { return std::get_if<Array>(&value_); }
  [[nodiscard]] Object* if_object() { return std::get_if<Object>(&value_); }

  /// The member of that name, or nullptr (also when this is no object).
  [[nodiscard]] const Json* find(std::string_view key) const;
  /// The member's string, or "" when it is missing or of another kind.
  [[nodiscard]] std::string string_at(std::string_view key) const;
  /// Sets or appends a member; makes this an object when it was null.
  Json& set(std::string key, Json value);
  /// Appends an element; makes this an array when it was null.
  Json& push(Json value);

  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct JsonLimits {
  std::size_t max_bytes = 4 * 1024 * 1024;
  std::size_t max_depth = 64;
};

/// Parses UTF-8 JSON (RFC 8259). Refused with `invalid_data` and "line L, column C": syntax errors, duplicate keys,
/// anything after the value, integers beyond int64, nesting and sizes over the limits.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

enum class Indent : std::uint8_t { none, two_spaces, tab };
/// Serialises. With an indent it is for people: the text ends with a newline and holds no control character that a
/// terminal would obey. Without one it is for programs, as Nix's toJSON writes it, and hashes are made of that
/// (`validation`).
std::string dump_json(const Json& value, Indent indent = Indent::none);

}  // namespace vmcred
