#include "declare/tree.h"

#include <algorithm>

namespace vmcred::declare {

Node::Node() = default;
Node::Node(const Node& other) = default;
Node::Node(Node&& other) noexcept = default;
Node& Node::operator=(const Node& other) = default;
Node& Node::operator=(Node&& other) noexcept = default;
Node::~Node() = default;

std::string_view kind_of(const Node& node) {
  struct Kind {
    std::string_view operator()(std::monostate) const { return "null"; }
    std::string_view operator()(bool) const { return "a boolean"; }
    std::string_view operator()(std::int64_t) const { return "an integer"; }
    std::string_view operator()(double) const { return "a float"; }
    std::string_view operator()(const std::string&) const { return "a string"; }
    std::string_view operator()(const Node::Array&) const { return "a list"; }
    std::string_view operator()(const Node::Object&) const { return "a table"; }
    std::string_view operator()(const Foreign& foreign) const { return foreign.name; }
  };
  return std::visit(Kind{}, node.value);
}

Json canonical_json(const Node& node) {
  if (const auto* boolean = node.if_bool()) return *boolean;
  if (const auto* integer = node.if_integer()) return *integer;
  if (const auto* real = std::get_if<double>(&node.value)) return *real;
  if (const auto* text = node.if_text()) return *text;
  if (const auto* array = node.if_array()) {
    Json::Array all;
    for (const Node& element : *array) all.push_back(canonical_json(element));
    return all;
  }
  if (const auto* object = node.if_object()) {
    Json::Object all;
    for (const Member& member : *object) all.emplace_back(member.key, canonical_json(member.node));
    std::ranges::sort(all, {}, &Json::Member::first);
    return all;
  }
  return {};
}

Node tree_of(const Json& json) {
  Node node;
  if (const auto* boolean = json.if_bool()) node.value = *boolean;
  if (const auto* integer = json.if_integer()) node.value = *integer;
  if (const auto* real = json.if_double()) node.value = *real;
  if (const auto* text = json.if_string()) node.value = *text;
  if (const auto* array = json.if_array()) {
    Node::Array all;
    all.reserve(array->size());
    for (const Json& element : *array) all.push_back(tree_of(element));
    node.value = std::move(all);
  }
  if (const auto* object = json.if_object()) {
    Node::Object all;
    all.reserve(object->size());
    for (const auto& [key, value] : *object) all.push_back({.key = key, .node = tree_of(value)});
    node.value = std::move(all);
  }
  return node;
}

std::string pointer_step(std::string_view pointer, std::string_view key) {
  std::string next(pointer);
  next += '/';
  for (const char c : key) {
    if (c == '~') {
      next += "~0";
    } else if (c == '/') {
      next += "~1";
    } else {
      next += c;
    }
  }
  return next;
}

}  // namespace vmcred::declare
