#include "sops/anchors.h"

#include "sops/yaml_events.h"

namespace vmcred::sops {

Result<std::vector<std::pair<std::string, std::string>>> anchored_texts(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> found;
  YamlEvents events(text);
  while (true) {
    TRY_LET(const yaml_event_t* const event, events.next());
    if (event->type == YAML_STREAM_END_EVENT) return found;
    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.anchor == nullptr) continue;
    const auto& scalar = event->data.scalar;
    found.emplace_back(yaml_text(scalar.anchor), std::string(yaml_text(scalar.value).substr(0, scalar.length)));
  }
}

}  // namespace vmcred::sops
