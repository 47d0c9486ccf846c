// A picture as a graph for dot(1): one cluster a vm, one node a station, shared where the value passes the same place.
#include <fmt/format.h>

#include <map>
#include <set>

#include "chain/explain/view.h"

namespace vmcred::chain::explain {
namespace {

/// A quoted ID of the DOT language; a label's line ends become \n.
std::string dot_string(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    if (c == '\n') {
      all += "\\n";
    } else {
      all += (c >= 0 && c < 0x20) || c == 0x7f ? '?' : c;
    }
  }
  return all + "\"";
}

std::string_view color_of(Mood mood) {
  switch (mood) {
    case Mood::fine:
      return "#2e7d4f";
    case Mood::arrived:
      return "#2b6f8f";
    case Mood::unknown:
      return "#8a8f98";
    case Mood::older:
      return "#7a4fa3";
    case Mood::warning:
      return "#b7791f";
    case Mood::broken:
      return "#c2363c";
  }
  return {};
}

/// What makes two stations the same node: generators, channels' containers and services are shared within a vm.
std::string node_of(const Chains& vm, const Chain& chain, const Station& station) {
  const bool shared = station.step == Step::generator ? chain.origin == Origin::var
                                                      : station.step == Step::channel && !chain.channel.empty();
  return fmt::format("{}/{}/{}", vm.vm, step_name(station.step), shared ? station.name : chain.guest);
}

std::string label_of(const Chain& chain, const Station& station) {
  if (station.step == Step::store) return chain.file;
  return station.name;
}

std::string cluster(const Picture& picture, const Chains& vm, std::size_t number) {
  std::map<std::string, std::pair<std::string, Mood>> nodes;
  std::set<std::string> edges;
  for (const Chain& chain : vm.chains) {
    std::string before;
    for (const Station& station : stations(picture, vm, chain)) {
      if (station.step == Step::service && !chain.consumers.empty()) {
        for (const Consumer& each : chain.consumers) {
          const std::string node = fmt::format("{}/service/{}", vm.vm, each.service);
          nodes[node] = {each.service + ".service", mood_of(each, station.mood)};
          edges.insert(
              fmt::format("    {} -> {} [label={}];\n", dot_string(before), dot_string(node), dot_string(each.id)));
        }
        continue;
      }
      const std::string node = node_of(vm, chain, station);
      auto& [label, mood] = nodes[node];
      label = label_of(chain, station);
      mood = std::max(mood, station.mood);
      if (!before.empty()) edges.insert(fmt::format("    {} -> {};\n", dot_string(before), dot_string(node)));
      before = node;
    }
  }
  std::string text = fmt::format("  subgraph cluster_{} {{\n    label={};\n", number,
                                 dot_string(fmt::format("{} on {}\n{}", vm.vm, vm.machine, hardware_of(vm))));
  for (const auto& [node, seen] : nodes)
    text += fmt::format("    {} [label={}, color={}];\n", dot_string(node), dot_string(seen.first),
                        dot_string(color_of(seen.second)));
  for (const std::string& edge : edges) text += edge;
  return text + "  }\n";
}

}  // namespace

std::string picture_dot(const Picture& picture) {
  std::string text =
      "digraph vmcred {\n  rankdir=LR;\n  fontname=\"sans-serif\";\n"
      "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (std::size_t i = 0; i < picture.vms.size(); ++i) text += cluster(picture, picture.vms[i], i);
  return text + "}\n";
}

}  // namespace vmcred::chain::explain
