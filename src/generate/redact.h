// Taking plaintext out of what a script wrote, before anybody sees it.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"

namespace vmcred::generate {

/// The text with every occurrence of a secret of at least 4 bytes replaced by "[hidden]": in every form of forms_of()
/// (base/value_forms.h), also wrapped, escaped or as a hex dump, whole, by line, and in longer pieces. Other control
/// characters than newline and tab as "?", at most `max_lines` last lines.
std::string redacted(std::string_view text, const std::vector<const Secret*>& secrets, std::size_t max_lines = 20);

}  // namespace vmcred::generate
