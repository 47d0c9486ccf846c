// Asking the person at the terminal: answers with a real line editor, and yes or no.
#pragma once

#include <string>

#include "age/plugin.h"
#include "base/result.h"
#include "base/secret.h"
#include "command.h"
#include "generate/prompts.h"
#include "store/key_ring.h"

namespace vmcred::app {

/// Asks on /dev/tty, whatever standard input is. Nothing where there is no terminal: then nobody can be asked.
generate::Ask asker(const World& world);

/// What plugins ask (a PIN, a touch), on /dev/tty; declined where there is none.
age::PluginPrompts* plugin_prompts();

/// The keys of the person at the terminal.
Result<store::KeyRing> operator_keys(const World& world);

/// A value typed on /dev/tty, several lines if need be, hidden and twice.
Result<Secret> ask_for_value(const World& world, const std::string& name);

/// Answers from --answers FILE ("-": standard input); an empty sheet without one.
Result<generate::AnswerSheet> read_answers(const std::string& path);

/// "question [y/N]" on /dev/tty. Without a terminal `unavailable`, with the hint to give --yes.
Result<bool> confirm(const World& world, std::string_view question);

}  // namespace vmcred::app
