// libyaml's events, one at a time.
#pragma once

#include <yaml.h>

#include <string_view>

#include "base/result.h"

namespace vmcred::sops {

inline std::string_view yaml_text(const unsigned char* bytes) {
  return bytes == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(bytes));  // NOLINT
}

class YamlEvents {
 public:
  /// `text` is borrowed.
  explicit YamlEvents(std::string_view text) {
    ready_ = yaml_parser_initialize(&parser_) == 1;
    if (ready_) {
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());  // NOLINT
    }
  }
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;
  ~YamlEvents() {
    drop();
    if (ready_) yaml_parser_delete(&parser_);
  }

  /// The next event, good until the one after it.
  Result<const yaml_event_t*> next() {
    drop();
    if (!ready_) return fail(Errc::unavailable, "libyaml cannot start");
    if (yaml_parser_parse(&parser_, &event_) != 1) {
      return fail(Errc::invalid_data, "line {}, column {}: {}", parser_.problem_mark.line + 1,
                  parser_.problem_mark.column + 1, parser_.problem != nullptr ? parser_.problem : "this is no YAML");
    }
    held_ = true;
    return &event_;
  }
  /// A failure at the place of the current event.
  template <class... Args>
  Failure refuse(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(Errc::invalid_data, "line {}: {}", event_.start_mark.line + 1,
                fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void drop() {
    if (held_) yaml_event_delete(&event_);
    held_ = false;
  }
  yaml_parser_t parser_ = {};
  yaml_event_t event_ = {};
  bool ready_ = false;
  bool held_ = false;
};

}  // namespace vmcred::sops
