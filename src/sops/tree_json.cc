#include <array>
#include <charconv>
#include <cmath>

#include "base/json_numbers.h"
#include "sops/metadata.h"
#include "sops/sops.h"
#include "sops/tree.h"

namespace vmcred::sops {
namespace {

Node node_of(std::string key, const Json& json) {
  Node node = {.key = std::move(key)};
  if (const auto* const text = json.if_string()) {
    node.type = Node::Type::text;
    node.text = *text;
  } else if (const auto* const flag = json.if_bool()) {
    node.type = Node::Type::boolean;
    node.text = *flag ? "True" : "False";
  } else if (const auto* const integer = json.if_integer()) {
    node.type = Node::Type::number;
    node.text = fmt::format("{}", *integer);
  } else if (const auto* const number = json.if_double()) {
    node.type = Node::Type::number;
    node.text = float_text(*number);
  } else if (const auto* const object = json.if_object()) {
    node.type = Node::Type::map;
    for (const auto& [name, value] : *object) node.children.push_back(node_of(name, value));
  } else if (const auto* const list = json.if_array()) {
    node.type = Node::Type::list;
    for (const Json& value : *list) node.children.push_back(node_of("", value));
  }
  return node;
}

}  // namespace

std::string float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 64> buffer = {};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  std::string_view text(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  std::string out;
  if (text.starts_with('-')) {
    out = "-";
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  const std::string_view power = text.substr(e + (text[e + 1] == '+' ? 2 : 1));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  const int point = exponent + 1;  // where the point stands among the digits
  const int count = static_cast<int>(digits.size());
  if (point <= 0) return out + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (point >= count) return out + digits + std::string(static_cast<std::size_t>(point - count), '0');
  return out + digits.substr(0, static_cast<std::size_t>(point)) + "." + digits.substr(static_cast<std::size_t>(point));
}

Result<Tree> read_json_tree(std::string_view text) {
  TRY(check_start(text));
  TRY_LET(Json json, parse_json_with_large_numbers(text, {.max_bytes = kMaxFile, .max_depth = 64}));
  Json::Object* const top = json.if_object();
  if (top == nullptr) return fail(Errc::invalid_data, "it is no JSON object");
  Tree tree;
  Node document = {.type = Node::Type::map};
  for (auto& [key, value] : *top) {
    if (key == "sops") {
      tree.metadata = std::move(value);
    } else {
      document.children.push_back(node_of(key, value));
    }
  }
  tree.documents.push_back(std::move(document));
  return tree;
}

}  // namespace vmcred::sops
