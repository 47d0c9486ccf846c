// A declaration before it means anything: the neutral tree that every front end gives to the one reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"

namespace vmcred::declare {

/// Line and column, from 1; 0: not known (JSON, whose places are pointers).
struct Mark {
  int line = 0;
  int column = 0;
  std::uint16_t file = 0;  ///< which of the files of the Report
};

struct Member;

/// A value of a kind that no declaration uses (a TOML date); `name` says which.
struct Foreign {
  std::string_view name;
};

struct Node {
  using Array = std::vector<Node>;
  using Object = std::vector<Member>;
  Mark mark = {};
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object, Foreign> value;

  // Out of line: Member is incomplete here.
  Node();
  Node(const Node& other);
  Node(Node&& other) noexcept;
  Node& operator=(const Node& other);
  Node& operator=(Node&& other) noexcept;
  ~Node();

  [[nodiscard]] const bool* if_bool() const { return std::get_if<bool>(&value); }
  [[nodiscard]] const std::int64_t* if_integer() const { return std::get_if<std::int64_t>(&value); }
  [[nodiscard]] const std::string* if_text() const { return std::get_if<std::string>(&value); }
  [[nodiscard]] const Array* if_array() const { return std::get_if<Array>(&value); }
  [[nodiscard]] const Object* if_object() const { return std::get_if<Object>(&value); }
  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(value); }
};

struct Member {
  std::string key;
  Mark mark = {};  ///< of the key
  Node node = {};
};

/// A member of a table or an element of a list (whose key is empty), borrowed.
struct Entry {
  const std::string& key;
  Mark mark;
  const Node& node;
};

/// "a string", "a table", … for messages.
std::string_view kind_of(const Node& node);

/// JSON of the same shape with sorted keys, as Nix's toJSON orders them.
Json canonical_json(const Node& node);

/// From parsed JSON; marks stay unknown.
Node tree_of(const Json& json);

/// A JSON pointer's next step (RFC 6901: `~` and `/` escaped).
std::string pointer_step(std::string_view pointer, std::string_view key);

}  // namespace vmcred::declare
