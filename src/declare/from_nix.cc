#include "declare/from_nix.h"

#include <algorithm>
#include <map>

namespace vmcred::declare {
namespace {

/// Places as nix told them, by JSON pointer.
std::map<std::string, Mark> marks_of(const Json& places, std::vector<std::string>& files) {
  std::map<std::string, Mark> marks;
  if (places.if_array() == nullptr) return marks;
  for (const Json& place : *places.if_array()) {
    const Json* line = place.find("line");
    const Json* column = place.find("column");
    if (line == nullptr || line->if_integer() == nullptr || column == nullptr || column->if_integer() == nullptr)
      continue;
    const std::string file = place.string_at("file");
    const auto found = std::ranges::find(files, file);
    const auto index = static_cast<std::uint16_t>(found - files.begin());
    if (found == files.end()) files.push_back(file);
    marks.try_emplace(place.string_at("pointer"),
                      Mark{static_cast<int>(*line->if_integer()), static_cast<int>(*column->if_integer()), index});
  }
  return marks;
}

/// What has no place of its own stands where its table does.
void mark_all(Node& node, const std::map<std::string, Mark>& marks, const std::string& pointer, Mark inherited) {
  node.mark = inherited;
  const auto mark_at = [&](const std::string& step) {
    const auto found = marks.find(step);
    return found == marks.end() ? inherited : found->second;
  };
  if (auto* object = std::get_if<Node::Object>(&node.value)) {
    for (Member& member : *object) {
      const std::string step = pointer_step(pointer, member.key);
      member.mark = mark_at(step);
      mark_all(member.node, marks, step, member.mark);
    }
  } else if (auto* array = std::get_if<Node::Array>(&node.value)) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      const std::string step = pointer_step(pointer, std::to_string(i));
      mark_all((*array)[i], marks, step, mark_at(step));
    }
  }
}

}  // namespace

Result<Node> nix_tree(const std::string& file, const std::string& folder, nix::Settings settings,
                      std::vector<std::string>& files) {
  settings.folder = folder;
  TRY_LET(const nix::Evaluation evaluation,
          settings.flake.empty() ? nix::evaluate(file, settings) : nix::evaluate_flake(settings.flake, settings));
  Node root = tree_of(evaluation.declaration);
  mark_all(root, marks_of(evaluation.places, files), "", {});
  return root;
}

Node laid_over(Node below, Node above) {
  auto* lower = std::get_if<Node::Object>(&below.value);
  auto* upper = std::get_if<Node::Object>(&above.value);
  if (lower == nullptr || upper == nullptr) return above;
  for (Member& member : *upper) {
    const auto found = std::ranges::find(*lower, member.key, &Member::key);
    if (found == lower->end()) {
      lower->push_back(std::move(member));
    } else {
      found->mark = member.mark;
      found->node = laid_over(std::move(found->node), std::move(member.node));
    }
  }
  below.mark = above.mark;
  return below;
}

}  // namespace vmcred::declare
