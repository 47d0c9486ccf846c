#include "age/plugin.h"

#include <algorithm>
#include <charconv>

#include "age/bech32.h"
#include "age/plugin_wire.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kRecipientPrefix = "age1";
constexpr std::string_view kIdentityPrefix = "age-plugin-";

Result<std::string> checked_name(std::string_view name) {
  const bool good = !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == '_';
  });
  if (!good) return fail(Errc::invalid_data, "the key names no plugin");
  return std::string(name);
}

/// What a plugin reports: "error KIND NUMBERS" with a text.
Error error_of(const std::string& name, const Stanza& stanza) {
  return {.code = Errc::unavailable, .message = fmt::format("the plugin '{}' says: {}", name, stanza.body)};
}

Result<std::size_t> index_at(const Stanza& stanza, std::size_t argument, std::size_t count) {
  std::size_t index = count;
  if (stanza.arguments.size() > argument) {
    const std::string& text = stanza.arguments[argument];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc() || end != text.data() + text.size()) index = count;
  }
  if (index >= count) return fail(Errc::unavailable, "a plugin answers for a file that it was not given");
  return index;
}

class PluginRecipient final : public Recipient {
 public:
  PluginRecipient(std::string text, std::string name, Plugins plugins)
      : Recipient(std::move(text)), name_(std::move(name)), plugins_(std::move(plugins)) {}

  [[nodiscard]] Result<Wrapped> wrap(Bytes file_key, Randomness& /*randomness*/) const override {
    TRY_LET(PluginConversation plugin, PluginConversation::start(name_, "recipient-v1", plugins_));
    TRY(plugin.send(plugin_message("add-recipient", {text()})));
    TRY(plugin.send(plugin_message("wrap-file-key", {}, std::string(text_of(file_key)))));
    TRY(plugin.send(plugin_message("extension-labels") + plugin_message("done")));
    Wrapped wrapped;
    bool labelled = false;
    while (true) {
      TRY_LET(Stanza stanza, plugin.receive());
      if (stanza.type == "done") break;
      std::string reply = "ok";
      if (stanza.type == "error") return Failure(error_of(name_, stanza));
      if (stanza.type == "recipient-stanza") {
        TRY(index_at(stanza, 0, 1));
        if (stanza.arguments.size() < 2) return fail(Errc::unavailable, "the plugin '{}' sends no stanza type", name_);
        wrapped.stanzas.push_back({.type = stanza.arguments[1],
                                   .arguments = {stanza.arguments.begin() + 2, stanza.arguments.end()},
                                   .body = std::move(stanza.body)});
      } else if (stanza.type == "labels") {
        if (labelled) return fail(Errc::unavailable, "the plugin '{}' sends its labels twice", name_);
        labelled = true;
        wrapped.labels = stanza.arguments;
        std::ranges::sort(wrapped.labels);
      } else {
        reply = "unsupported";
      }
      TRY(plugin.send(plugin_message(reply)));
    }
    TRY(plugin.finish());
    if (wrapped.stanzas.empty()) return fail(Errc::unavailable, "the plugin '{}' wrapped nothing", name_);
    return wrapped;
  }

 private:
  std::string name_;
  Plugins plugins_;
};

class PluginIdentity final : public Identity {
 public:
  PluginIdentity(Secret text, std::string name, Plugins plugins)
      : text_(std::move(text)), name_(std::move(name)), plugins_(std::move(plugins)) {}

  [[nodiscard]] Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const override {
    return std::move(unwrap_all({&stanzas, 1}).front());
  }

  [[nodiscard]] std::vector<Result<std::optional<Secret>>> unwrap_all(
      std::span<const std::span<const Stanza>> files) const override {
    std::vector<Result<std::optional<Secret>>> results;
    for (std::size_t i = 0; i < files.size(); ++i) results.emplace_back(std::optional<Secret>());
    if (auto told = converse(files, results); !told) {
      for (auto& result : results) {
        if (!result || !*result) result = Failure(told.error());
      }
    }
    return results;
  }

  /// As far as names tell: files for a recipient of the same plugin.
  [[nodiscard]] bool reads(std::string_view recipient) const override {
    return recipient.starts_with(fmt::format("age1{}1", name_));
  }
  [[nodiscard]] std::string recipient() const override { return ""; }

 private:
  [[nodiscard]] Result<> converse(std::span<const std::span<const Stanza>> files,
                                  std::vector<Result<std::optional<Secret>>>& results) const {
    TRY_LET(PluginConversation plugin, PluginConversation::start(name_, "identity-v1", plugins_));
    TRY(plugin.send(plugin_message("add-identity", {std::string(text_.text())})));
    for (std::size_t i = 0; i < files.size(); ++i) {
      for (const Stanza& stanza : files[i]) {
        std::vector<std::string> arguments = {fmt::format("{}", i), stanza.type};
        std::ranges::copy(stanza.arguments, std::back_inserter(arguments));
        TRY(plugin.send(plugin_message("recipient-stanza", std::move(arguments), stanza.body)));
      }
    }
    TRY(plugin.send(plugin_message("done")));
    while (true) {
      TRY_LET(Stanza stanza, plugin.receive());
      if (stanza.type == "done") break;
      std::string reply = "ok";
      if (stanza.type == "file-key") {
        TRY_LET(const std::size_t i, index_at(stanza, 0, files.size()));
        if (stanza.body.size() != kFileKeySize)
          return fail(Errc::unavailable, "the plugin '{}' sends no file key", name_);
        results[i] = std::optional<Secret>(Secret::copy_of(stanza.body));
        wipe({reinterpret_cast<std::uint8_t*>(stanza.body.data()), stanza.body.size()});  // NOLINT
      } else if (stanza.type == "error") {
        const bool about_stanza = !stanza.arguments.empty() && stanza.arguments[0] == "stanza";
        if (!about_stanza) return Failure(error_of(name_, stanza));
        TRY_LET(const std::size_t i, index_at(stanza, 1, files.size()));
        results[i] = Failure(error_of(name_, stanza));
      } else {
        reply = "unsupported";
      }
      TRY(plugin.send(plugin_message(reply)));
    }
    return plugin.finish();
  }

  Secret text_;
  std::string name_;
  Plugins plugins_;
};

}  // namespace

bool is_plugin_recipient(std::string_view text) {
  return text.starts_with(kRecipientPrefix) && text.rfind('1') > kRecipientPrefix.size() - 1;
}

bool is_plugin_identity(std::string_view text) { return text.starts_with("AGE-PLUGIN-"); }

Result<RecipientPtr> plugin_recipient(std::string_view text, Plugins plugins) {
  TRY_LET(const Bech32 decoded, bech32_decode(text));
  if (decoded.upper_case || !decoded.prefix.starts_with(kRecipientPrefix)) {
    return fail(Errc::invalid_data, "the key names no plugin");
  }
  TRY_LET(std::string name, checked_name(std::string_view(decoded.prefix).substr(kRecipientPrefix.size())));
  return RecipientPtr(std::make_shared<PluginRecipient>(std::string(text), std::move(name), std::move(plugins)));
}

Result<IdentityPtr> plugin_identity(std::string_view text, Plugins plugins) {
  TRY_LET(const Bech32 decoded, bech32_decode(text));
  std::string_view prefix = decoded.prefix;
  if (!decoded.upper_case || !prefix.starts_with(kIdentityPrefix) || !prefix.ends_with('-')) {
    return fail(Errc::invalid_data, "the key names no plugin");
  }
  prefix.remove_prefix(kIdentityPrefix.size());
  if (!prefix.empty()) prefix.remove_suffix(1);
  TRY_LET(std::string name, checked_name(prefix));
  return IdentityPtr(std::make_shared<PluginIdentity>(Secret::copy_of(text), std::move(name), std::move(plugins)));
}

}  // namespace vmcred::age
