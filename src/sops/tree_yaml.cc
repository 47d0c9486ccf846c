#include <algorithm>
#include <unordered_set>

#include "sops/sops.h"
#include "sops/tree.h"
#include "sops/yaml_events.h"
#include "sops/yaml_scalar.h"

namespace vmcred::sops {
namespace {

constexpr unsigned kMaxDepth = 64;
constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

Result<> check_plain(const YamlEvents& events, const unsigned char* anchor, const unsigned char* tag) {
  if (anchor != nullptr) return events.refuse("anchors are not read; write the value out");
  if (tag != nullptr && yaml_text(tag) != kStringTag && yaml_text(tag) != "!" &&
      !yaml_text(tag).starts_with("tag:yaml.org,2002:map") && !yaml_text(tag).starts_with("tag:yaml.org,2002:seq")) {
    return events.refuse("the tag '{}' is not read", yaml_text(tag));
  }
  return {};
}

Result<Node> read_scalar(const YamlEvents& events, const yaml_event_t& event) {
  const auto& scalar = event.data.scalar;
  TRY(check_plain(events, scalar.anchor, scalar.tag));
  Node node = {.type = Node::Type::text,
               .text = std::string(reinterpret_cast<const char*>(scalar.value), scalar.length)};  // NOLINT
  if (scalar.style != YAML_PLAIN_SCALAR_STYLE || scalar.tag != nullptr) return node;
  auto resolved = resolve_plain_scalar(node.text);
  if (!resolved) return events.refuse("{}", resolved.error().message);
  node.type = resolved->type;
  if (node.type != Node::Type::text) node.text = std::move(resolved->text);
  return node;
}

Result<Node> read_node(YamlEvents& events, const yaml_event_t& event, unsigned depth);

Result<Node> read_map(YamlEvents& events, unsigned depth) {
  Node node = {.type = Node::Type::map};
  std::unordered_set<std::string> seen;
  while (true) {
    TRY_LET(const yaml_event_t* event, events.next());
    if (event->type == YAML_MAPPING_END_EVENT) return node;
    if (event->type != YAML_SCALAR_EVENT) return events.refuse("a key is no text");
    const auto& scalar = event->data.scalar;
    TRY(check_plain(events, scalar.anchor, scalar.tag));
    std::string key(reinterpret_cast<const char*>(scalar.value), scalar.length);  // NOLINT
    if (!seen.insert(key).second) return events.refuse("the key '{}' stands there twice", key);
    TRY_LET(event, events.next());
    TRY_LET(Node child, read_node(events, *event, depth + 1));
    child.key = std::move(key);
    node.children.push_back(std::move(child));
  }
}

Result<Node> read_node(YamlEvents& events, const yaml_event_t& event, unsigned depth) {
  if (depth > kMaxDepth) return events.refuse("nesting deeper than {}", kMaxDepth);
  switch (event.type) {
    case YAML_SCALAR_EVENT:
      return read_scalar(events, event);
    case YAML_MAPPING_START_EVENT:
      TRY(check_plain(events, event.data.mapping_start.anchor, event.data.mapping_start.tag));
      return read_map(events, depth);
    case YAML_SEQUENCE_START_EVENT: {
      TRY(check_plain(events, event.data.sequence_start.anchor, event.data.sequence_start.tag));
      Node node = {.type = Node::Type::list};
      while (true) {
        TRY_LET(const yaml_event_t* const element, events.next());
        if (element->type == YAML_SEQUENCE_END_EVENT) return node;
        TRY_LET(Node child, read_node(events, *element, depth + 1));
        node.children.push_back(std::move(child));
      }
    }
    case YAML_ALIAS_EVENT:
      return events.refuse("aliases are not read; write the value out");
    default:
      return events.refuse("a value is missing");
  }
}

/// Metadata is read weakly typed: every scalar is a text, but for null.
Json metadata_json(const Node& node) {
  if (node.type == Node::Type::null) return {};
  if (node.type == Node::Type::map) {
    Json out = Json::object();
    for (const Node& child : node.children) out.set(child.key, metadata_json(child));
    return out;
  }
  if (node.type == Node::Type::list) {
    Json out = Json::array();
    for (const Node& child : node.children) out.push(metadata_json(child));
    return out;
  }
  return Json(node.text);
}

}  // namespace

Result<Tree> read_yaml_tree(std::string_view text) {
  if (text.size() > kMaxFile) return fail(Errc::invalid_data, "it is larger than {} bytes", kMaxFile);
  YamlEvents events(text);
  Tree tree;
  while (true) {
    TRY_LET(const yaml_event_t* event, events.next());
    if (event->type == YAML_STREAM_END_EVENT) break;
    if (event->type != YAML_DOCUMENT_START_EVENT) continue;
    TRY_LET(event, events.next());
    TRY_LET(Node document, read_node(events, *event, 1));
    if (document.type == Node::Type::null) document.type = Node::Type::map;  // an empty document
    if (document.type != Node::Type::map) return events.refuse("the top of a document is no map");
    const auto metadata = std::ranges::find(document.children, "sops", &Node::key);
    if (metadata != document.children.end()) {  // in every document, and the first counts
      if (tree.documents.empty()) tree.metadata = metadata_json(*metadata);
      document.children.erase(metadata);
    }
    tree.documents.push_back(std::move(document));
  }
  if (tree.documents.empty()) return fail(Errc::invalid_data, "there is no document in it");
  return tree;
}

}  // namespace vmcred::sops
