// Does a text look like a secret? The one judgement for static values, unit files, command lines, XML and kernel lines.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace vmcred::shape {

/// A part of a text that looks like a secret.
struct Suspect {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  std::string_view what = {};  ///< "a private key", "a GitHub token", "a password: its name says so". Never the value.
};

/// Everything in `text` that looks like a secret, in its order. `name` is what the text is called, where it has a name;
/// names inside it count as well: PASSWORD=…, --token …, <x passwd='…'>, user:password@host. Public things that are as
/// random as a secret pass: public keys, hashes that are called so, UUIDs, store paths, what is encrypted already.
std::vector<Suspect> secrets_in(std::string_view text, std::string_view name = {});

/// What the first of them looks like, or nothing.
std::optional<std::string_view> looks_like_secret(std::string_view text, std::string_view name = {});

}  // namespace vmcred::shape
