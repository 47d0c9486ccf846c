// The one file that knows toml++. Header-only on purpose: Debian ships its compiled library as a shared object alone,
// and the release programs are static.
#include "declare/toml.h"

#include "declare/toml_scan.h"

// toml++ 3.3 asserts what it then checks, and text such as "[.a]" breaks the assertion; with NDEBUG it even lets the
// compiler assume it. Without either, its own error comes out.
#undef NDEBUG
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

namespace vmcred::declare {
namespace {

Mark mark_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

Node node_of(const toml::node& from);

Node::Object object_of(const toml::table& table) {
  Node::Object all;
  all.reserve(table.size());
  for (const auto& [key, value] : table)
    all.push_back({.key = std::string(key.str()), .mark = mark_of(key.source()), .node = node_of(value)});
  return all;
}

Node node_of(const toml::node& from) {
  Node node;
  node.mark = mark_of(from.source());
  if (const auto* table = from.as_table()) {
    node.value = object_of(*table);
  } else if (const auto* array = from.as_array()) {
    Node::Array all;
    all.reserve(array->size());
    for (const toml::node& element : *array) all.push_back(node_of(element));
    node.value = std::move(all);
  } else if (const auto* text = from.as_string()) {
    node.value = text->get();
  } else if (const auto* integer = from.as_integer()) {
    node.value = integer->get();
  } else if (const auto* real = from.as_floating_point()) {
    node.value = real->get();
  } else if (const auto* boolean = from.as_boolean()) {
    node.value = boolean->get();
  } else {
    node.value = Foreign{"a date or time"};
  }
  return node;
}

// The house writes lower-case sentences without a full stop.
std::string sentence(std::string_view description) {
  std::string text(description);
  if (text.starts_with("Error while ")) text.erase(0, std::string_view("Error while ").size());
  while (text.ends_with('.')) text.pop_back();
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

std::expected<Node, SyntaxError> toml_tree(std::string_view text) {
  if (auto error = unfit_for_parser(text)) return std::unexpected(*std::move(error));
  try {
    Node root;
    root.value = object_of(toml::parse(text));
    root.mark = {1, 1};
    return root;
  } catch (const toml::parse_error& error) {
    return std::unexpected(SyntaxError{mark_of(error.source()), sentence(error.description())});
  }
}

}  // namespace vmcred::declare
