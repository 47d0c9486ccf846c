#include <charconv>
#include <map>
#include <set>

#include "sops/sops.h"
#include "sops/tree.h"

namespace vmcred::sops {
namespace {

constexpr std::string_view kPrefix = "sops_";
constexpr std::string_view kList = "__list_";
constexpr std::string_view kMap = "__map_";
constexpr std::size_t kMaxElements = 1000;
constexpr std::size_t kMaxDepth = 16;

/// The two characters "\n" stand for a newline.
std::string with_newlines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t at = text.find("\\n");
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(at + 2);
  }
}

/// Metadata as it is flattened into "age__list_0__map_enc": put together again.
struct Flat {
  std::string value = {};
  bool has_value = false;
  std::map<std::string, Flat> members = {};
  std::map<std::size_t, Flat> elements = {};

  Result<> add(std::string_view path, std::string text, std::size_t depth = 0) {
    if (depth > kMaxDepth) return fail(Errc::invalid_data, "the sops metadata is nested deeper than {}", kMaxDepth);
    if (path.empty()) {
      if (has_value || !members.empty() || !elements.empty()) {
        return fail(Errc::invalid_data, "a part of the sops metadata stands there twice");
      }
      value = std::move(text);
      has_value = true;
      return {};
    }
    if (has_value) return fail(Errc::invalid_data, "a part of the sops metadata is a text and more than that");
    const bool is_list = path.starts_with(kList);
    path.remove_prefix(is_list ? kList.size() : path.starts_with(kMap) ? kMap.size() : 0);
    const std::size_t end = std::min(path.find(kList), path.find(kMap));
    const std::string_view name = path.substr(0, end);
    path.remove_prefix(std::min(end, path.size()));
    if (!is_list) return members[std::string(name)].add(path, std::move(text), depth + 1);
    std::size_t index = 0;
    const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error != std::errc() || last != name.data() + name.size() || index >= kMaxElements) {
      return fail(Errc::invalid_data, "a list of the sops metadata has a malformed number");
    }
    return elements[index].add(path, std::move(text), depth + 1);
  }

  [[nodiscard]] Result<Json> json() const {
    if (has_value) return Json(value);
    if (!members.empty() && !elements.empty()) return fail(Errc::invalid_data, "a list of the sops metadata has names");
    Json out;
    for (const auto& [name, member] : members) {
      TRY_LET(Json one, member.json());
      out.set(name, std::move(one));
    }
    for (const auto& [index, element] : elements) {
      if (index >= elements.size()) return fail(Errc::invalid_data, "a list of the sops metadata has a gap");
      TRY_LET(Json one, element.json());
      out.push(std::move(one));
    }
    return out;
  }
};

}  // namespace

Result<Tree> read_dotenv_tree(std::string_view text) {
  if (text.size() > kMaxFile) return fail(Errc::invalid_data, "it is larger than {} bytes", kMaxFile);
  Tree tree;
  Node document = {.type = Node::Type::map};
  Flat metadata;
  std::set<std::string_view> seen;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return fail(Errc::invalid_data, "line {} has no '='", number);
    const std::string_view key = line.substr(0, equals);
    if (!seen.insert(key).second) return fail(Errc::invalid_data, "line {}: the name stands there twice", number);
    std::string value = with_newlines(line.substr(equals + 1));
    if (key.starts_with(kPrefix)) {
      TRY(metadata.add(key.substr(kPrefix.size()), std::move(value)));
    } else {
      document.children.push_back({.key = std::string(key), .type = Node::Type::text, .text = std::move(value)});
    }
  }
  TRY_LET(tree.metadata, metadata.json());
  tree.documents.push_back(std::move(document));
  return tree;
}

}  // namespace vmcred::sops
