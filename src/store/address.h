// How people write which secret they mean: one grammar for every command, and what commands print is part of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/readers.h"

namespace vmcred::store {

/// An address as it was written:
///
///     GENERATOR/FILE              the only one of that name
///     OWNER:GENERATOR/FILE        of a machine or a vm
///     GENERATOR/FILE (machine M)  as commands print it; also (vm V) and (shared)
///     per-machine/M/GENERATOR/FILE, with vars/ or /run/vmcred/vars/ in front: as it lies; also per-vm/V/… and shared/…
///     NAME, sops/secrets/NAME     a secret that no generator makes
///     OWNER:NAME, vars/per-export/OWNER/NAME   an export of clan's
///
/// A path may end in "/secret", "/value" or "/", as a shell completes it.
struct Address {
  std::string name;                              ///< "GENERATOR/FILE" or "NAME"
  std::string owner = {};                        ///< of what it is; "" where that was not said
  std::optional<declare::Sharing> sharing = {};  ///< where that was said
  bool beside_vars = false;                      ///< it can only be a secret that no generator makes
};
Address read_address(std::string_view text);

/// The address that every command takes, in its shortest form: "web:token/key", "token/key" where it is shared,
/// "web-age.key".
std::string address_of(const VarId& id);
std::string address_of(const SecretPlace& place);

/// Whether it is this secret that is meant. Names may hold the wild cards of the shell ('*', '?', '[…]') where
/// `patterns`.
enum class Patterns : std::uint8_t { no, yes };
bool means(const Address& address, const SecretPlace& place, Patterns patterns = Patterns::no);
bool means(const Address& address, const VarId& id, Patterns patterns = Patterns::no);

/// Whether a text has wild cards.
bool is_pattern(std::string_view text);

/// Its owner ("" where it has none) and its name, as people type them.
std::pair<std::string, std::string> typed_name(const SecretPlace& place);

}  // namespace vmcred::store
