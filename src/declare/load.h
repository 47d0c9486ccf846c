// Reading a declaration: vmcred.toml, vmcred.json or a Nix module file into one checked, normalised model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "declare/model.h"
#include "declare/problem.h"
#include "nix/evaluate.h"

namespace vmcred::declare {

/// A declaration larger than this is refused.
inline constexpr std::size_t kMaxDeclaration = 16UL * 1024 * 1024;

/// A model together with all that is wrong with it. It is usable only when `problems` is empty; otherwise it holds what
/// could be read (for `check`, which goes on).
struct Reading {
  Declaration declaration;
  std::vector<Problem> problems = {};  ///< in the order of the file
};

/// The declaration of the project folder `path` (its vmcred.toml, vmcred.json or host.nix, only one of them), or of
/// that file itself. A vmcred.toml with `declaration = "FILE.nix"` is laid over what that file declares. No declaration
/// is `not_found` with the hint to run `vmcred init`; what is wrong with it is `invalid_data`, all problems at once,
/// each with file, line and column (or JSON pointer) and remedy.
Result<Declaration> load(const std::string& path, const nix::Settings& settings = {});

/// The declaration of a Nix module file (or of settings.flake) for the project in `folder`.
Result<Declaration> load_nix(const std::string& file, const std::string& folder, const nix::Settings& settings);

/// The Nix file behind a project's declaration: host.nix itself, or what vmcred.toml names; "" when there is none.
std::string nix_file_of(const std::string& path);

/// The file that `load` would read.
Result<std::string> find_declaration(const std::string& path);

/// The same from text; `file` is what messages call it, and relative paths inside it are relative to its folder.
Result<Declaration> parse_toml(std::string_view text, const std::string& file);
Result<Declaration> parse_json_declaration(std::string_view text, const std::string& file);

/// As `load`, but problems are given back beside what could be read; only an unreadable file is an error.
Result<Reading> load_leniently(const std::string& path, const nix::Settings& settings = {});
Result<Reading> load_nix_leniently(const std::string& file, const std::string& folder, const nix::Settings& settings);
Reading read_toml(std::string_view text, const std::string& file);
Reading read_json(std::string_view text, const std::string& file);

/// The normalised model in the shape of vmcred.json: every default filled in, paths absolute. Reading it gives the same
/// model again (places and the file's own name aside).
Json to_json(const Declaration& declaration);

}  // namespace vmcred::declare
