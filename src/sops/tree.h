// sops files of the json, yaml and dotenv kinds: an ordered tree, some leaves of which are encrypted. Reading only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "age/keys.h"
#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::sops {

enum class Kind : std::uint8_t { binary, json, yaml, dotenv, ini };
/// As sops tells by the name: .yaml and .yml, .json, .env, .ini; everything else is binary.
[[nodiscard]] Kind kind_of(std::string_view path);

/// A value as it stands in the file. Nothing is decrypted yet.
struct Node {
  enum class Type : std::uint8_t { null, text, number, boolean, time, map, list };
  std::string key = {};  ///< inside a map
  Type type = Type::null;
  std::string text = {};  ///< of a scalar, in the form that the MAC covers
  std::vector<Node> children = {};
};

/// A file taken apart: its documents (more than one only in YAML) without the metadata, and the metadata.
struct Tree {
  std::vector<Node> documents;
  Json metadata;
};

/// Each refuses duplicate keys, nesting over 64 and sizes over 4 MiB with `invalid_data`.
Result<Tree> read_json_tree(std::string_view text);
Result<Tree> read_yaml_tree(std::string_view text);
Result<Tree> read_dotenv_tree(std::string_view text);

/// One value of a decrypted file.
struct Leaf {
  std::vector<std::string> path;  ///< keys from the top; list elements by number, from 0
  Secret value;
  bool encrypted = false;  ///< whether it was
};

/// Decrypts every value in file order, nulls left out. The MAC is checked before anything is given back.
///
/// INI files, key groups (Shamir) and selection by comments are refused with `invalid_data`, files for PGP keys alone
/// with `denied`; each says what to do instead. A binary file gives one leaf "data".
Result<std::vector<Leaf>> decrypt_tree(std::string_view text, Kind kind, std::span<const age::IdentityPtr> identities);

/// Go's shortest decimal form without exponent, which is what the MAC covers: 1e+21 is "1000000000000000000000".
std::string float_text(double value);

}  // namespace vmcred::sops
