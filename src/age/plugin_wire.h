// A conversation with one plugin process: age stanzas on its stdin and stdout, every wait with a limit.
#pragma once

#include <string>
#include <vector>

#include "age/header.h"
#include "age/plugin.h"

namespace vmcred::age {

class PluginConversation {
 public:
  /// Starts "age-plugin-NAME --age-plugin=STATE".
  static Result<PluginConversation> start(const std::string& name, const std::string& state, const Plugins& plugins);
  PluginConversation(PluginConversation&&) noexcept = default;
  PluginConversation& operator=(PluginConversation&&) noexcept = default;
  ~PluginConversation();

  /// Sends stanzas; the bytes are wiped after.
  Result<> send(std::string stanzas);
  /// The next command that is not a question to a person: those are answered in here.
  Result<Stanza> receive();
  /// Closes its stdin and waits for it to end.
  Result<> finish();

 private:
  PluginConversation() = default;
  Result<> fill();
  Result<bool> answer_question(const Stanza& stanza);

  std::string name_;
  Plugins plugins_;
  Child child_;
  Fd to_;
  Fd from_;
  std::string buffer_;
};

/// One stanza in wire form, without and with arguments.
std::string plugin_message(std::string type, std::vector<std::string> arguments = {}, std::string body = {});

}  // namespace vmcred::age
