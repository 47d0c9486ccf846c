// Age plugins ("age-plugin-NAME" programs; C2SP age-plugin): hardware keys, TPMs and what else speaks that protocol.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "age/keys.h"
#include "base/process.h"

namespace vmcred::age {

/// What a plugin may ask a person. Each may decline with an empty answer.
class PluginPrompts {
 public:
  virtual ~PluginPrompts() = default;
  virtual bool show(const std::string& plugin, std::string_view message) = 0;
  /// true: yes, false: no. `no` is empty where there is only one answer.
  virtual std::optional<bool> confirm(const std::string& plugin, std::string_view question, std::string_view yes,
                                      std::string_view no) = 0;
  virtual std::optional<Secret> ask(const std::string& plugin, std::string_view question, bool secret) = 0;
};

/// How plugins are found and run.
struct Plugins {
  std::string search_path = std::string(kSystemPath);  ///< absolute folders; others are skipped
  std::vector<std::string> environment = {"PATH=" + std::string(kSystemPath)};
  std::chrono::milliseconds limit = std::chrono::seconds(60);  ///< for one answer of the plugin, people included
  PluginPrompts* prompts = nullptr;                            ///< nobody there: every question is declined
};

/// "age1NAME1…": whether a text names a plugin's recipient.
[[nodiscard]] bool is_plugin_recipient(std::string_view text);
/// "AGE-PLUGIN-NAME-1…"
[[nodiscard]] bool is_plugin_identity(std::string_view text);

/// The program is looked for when it is needed, not here.
Result<RecipientPtr> plugin_recipient(std::string_view text, Plugins plugins = {});
/// Its unwrap_all() runs the program once for all files: one PIN.
Result<IdentityPtr> plugin_identity(std::string_view text, Plugins plugins = {});

}  // namespace vmcred::age
