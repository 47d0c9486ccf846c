// What %i, %n and the like stand for in a unit (systemd.unit(5), "Specifiers").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmcred::unitfile {

/// Units of the system's manager, or of a user's.
enum class Manager : std::uint8_t { system, user };

/// Nothing for a specifier that only the running manager knows (%m, %h of a user, …), and for one that none knows.
std::optional<std::string> expand_specifiers(std::string_view text, std::string_view unit,
                                             Manager manager = Manager::system);

/// Whether there is a letter behind a '%' that stands for nothing: systemd ignores such a line.
bool has_unknown_specifier(std::string_view text, int systemd);

/// "/etc/systemd/user/…" and the other folders of users' units.
Manager manager_of(std::string_view path);

}  // namespace vmcred::unitfile
