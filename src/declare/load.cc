#include "declare/load.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "base/merge_marks.h"
#include "declare/from_nix.h"
#include "declare/load_generators.h"
#include "declare/read.h"
#include "declare/toml.h"
#include "declare/values.h"
#include "nix/generators.h"

namespace vmcred::declare {
namespace {

constexpr std::string_view kTomlName = "vmcred.toml";
constexpr std::string_view kJsonName = "vmcred.json";
constexpr std::string_view kNixName = "host.nix";
constexpr std::string_view kIndirection = "declaration";  ///< the key of vmcred.toml that names a Nix file

std::string working_folder() {
  const std::unique_ptr<char, decltype(&std::free)> path(::getcwd(nullptr, 0), std::free);
  return path ? path.get() : "/";
}

/// A link counts wherever it leads: to pass over a declaration because its link is broken would take another one for
/// it.
bool stands(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  return absolute_path(working_folder(), folder);
}

Reading read_root(const Node& root, const std::string& file, bool pointers) {
  Report report(file, pointers);
  Reading reading{.declaration = read_tree(root, file, folder_of(file), report)};
  reading.problems = report.take();
  return reading;
}

Reading syntax_problem(const std::string& file, Mark mark, std::string message, std::string hint = {}) {
  Reading reading;
  reading.declaration.file = file;
  reading.declaration.folder = folder_of(file);
  reading.problems.push_back(
      {Fault::syntax, {.file = file, .line = mark.line, .column = mark.column}, std::move(message), std::move(hint)});
  return reading;
}

Result<Declaration> only_without_problems(Reading reading) {
  if (!reading.problems.empty()) return std::unexpected(to_error(reading.problems));
  return std::move(reading.declaration);
}

bool is_json(const std::string& file) { return file.ends_with(".json"); }
bool is_nix(const std::string& file) { return file.ends_with(".nix"); }

std::string absolute(const std::string& path) { return absolute_path(working_folder(), path); }

Reading read_nix(const Node& root, const std::string& file, const std::string& folder, std::vector<std::string> files) {
  Report report(std::move(files), true);
  Reading reading{.declaration = read_tree(root, file, folder, report)};
  reading.problems = report.take();
  return reading;
}

/// `declaration = "host.nix"`: the other keys of the file are laid over what that one declares.
Result<Reading> read_indirection(Node root, const std::string& file, nix::Settings settings) {
  const std::string folder = folder_of(file);
  auto& members = std::get<Node::Object>(root.value);
  const auto named = std::ranges::find(members, kIndirection, &Member::key);
  const std::string* nix_file = named->node.if_text();
  if (nix_file == nullptr || !is_nix(*nix_file)) {
    return fail(Errc::invalid_data, "{}:{}:{}: 'declaration' must name a .nix file", file, named->mark.line,
                named->mark.column);
  }
  const std::string path = absolute_path(folder, *nix_file);
  if (!exists(path)) {
    return fail(Errc::not_found, "{}:{}:{}: there is no '{}'", file, named->mark.line, named->mark.column, *nix_file);
  }
  members.erase(named);
  const auto machines = std::ranges::find(members, std::string_view("machines"), &Member::key);
  if (machines != members.end() && machines->node.if_object() != nullptr && machines->node.if_object()->size() == 1) {
    settings.only_machine = machines->node.if_object()->front().key;
  }
  std::vector<std::string> files{file};
  TRY_LET(Node below, nix_tree(path, folder, std::move(settings), files));
  return read_nix(laid_over(std::move(below), std::move(root)), file, folder, std::move(files));
}

bool has_indirection(const Node& root) {
  const auto* members = root.if_object();
  return members != nullptr && std::ranges::find(*members, kIndirection, &Member::key) != members->end();
}

/// JSON's syntax errors begin with "line L, column C: "; the place is taken out of the text.
Mark take_mark(std::string& message) {
  Mark mark;
  int end = 0;
  if (std::sscanf(message.c_str(), "line %d, column %d: %n", &mark.line, &mark.column, &end) != 2) return {};
  message.erase(0, static_cast<std::size_t>(end));
  return mark;
}

}  // namespace

Reading read_toml(std::string_view text, const std::string& file) {
  const auto root = toml_tree(text);
  if (!root) return syntax_problem(file, root.error().mark, root.error().message);
  return read_root(*root, file, false);
}

Reading read_json(std::string_view text, const std::string& file) {
  const auto json = parse_json(text, {.max_bytes = kMaxDeclaration});
  if (!json) {
    std::string message = json.error().message;
    const Mark mark = take_mark(message);
    return syntax_problem(file, mark, std::move(message));
  }
  return read_root(tree_of(*json), file, true);
}

Result<Declaration> parse_toml(std::string_view text, const std::string& file) {
  return only_without_problems(read_toml(text, file));
}

Result<Declaration> parse_json_declaration(std::string_view text, const std::string& file) {
  return only_without_problems(read_json(text, file));
}

Result<std::string> find_declaration(const std::string& path) {
  if (!is_folder(path)) {
    if (exists(path)) return path;
    return fail(Errc::not_found, "there is no '{}'", path);
  }
  const std::string toml = path == "." ? std::string(kTomlName) : join_path(path, kTomlName);
  const std::string json = path == "." ? std::string(kJsonName) : join_path(path, kJsonName);
  const std::string nix = path == "." ? std::string(kNixName) : join_path(path, kNixName);
  const bool has_toml = stands(toml);
  const bool has_json = stands(json);
  if (has_toml && has_json)
    return hint(fail(Errc::usage, "both '{}' and '{}' are there", toml, json), "remove one of them");
  if (has_toml) return toml;  // it may name a host.nix beside it
  if (has_json && stands(nix))
    return hint(fail(Errc::usage, "both '{}' and '{}' are there", json, nix), "remove one of them");
  if (has_json) return json;
  if (stands(nix)) return nix;
  return hint(
      fail(Errc::not_found, "no declaration in '{}': neither {} nor {} nor {}", path, kTomlName, kJsonName, kNixName),
      "run 'vmcred init', or name the project with --project");
}

std::string nix_file_of(const std::string& path) {
  const auto file = find_declaration(path);
  if (!file || is_nix(*file)) return file ? absolute(*file) : "";
  const auto text = read_file(*file, kMaxDeclaration);
  if (!text || is_json(*file)) return "";
  const auto root = toml_tree(*text);
  if (!root || !has_indirection(*root)) return "";
  const auto& members = *root->if_object();
  const auto* named = std::ranges::find(members, kIndirection, &Member::key)->node.if_text();
  return named == nullptr ? "" : absolute_path(folder_of(*file), *named);
}

Result<Reading> load_leniently(const std::string& path, const nix::Settings& settings) {
  TRY_LET(const std::string file, find_declaration(path));
  if (is_nix(file)) return load_nix_leniently(file, folder_of(file), settings);
  TRY_LET(const std::string text, in("read the declaration", read_file(file, kMaxDeclaration)));
  if (const std::size_t line = line_of_merge_mark(text); line != 0)
    return syntax_problem(
        file, {static_cast<int>(line), 1},
        "the file holds the conflict markers of a git merge: two branches changed it",
        "keep what is meant of both, remove the lines with '<<<<<<<', '=======' and '>>>>>>>', then 'git add' it");
  if (is_json(file)) return read_json(text, file);
  auto root = toml_tree(text);
  if (!root) return syntax_problem(file, root.error().mark, root.error().message);
  if (has_indirection(*root)) return read_indirection(*std::move(root), file, settings);
  return read_root(*root, file, false);
}

Result<Declaration> load(const std::string& path, const nix::Settings& settings) {
  TRY_LET(Reading reading, load_leniently(path, settings));
  return only_without_problems(std::move(reading));
}

Result<Reading> load_nix_leniently(const std::string& file, const std::string& folder, const nix::Settings& settings) {
  const std::string project = absolute(folder);
  std::vector<std::string> files{file};
  TRY_LET(const Node root, nix_tree(absolute(file), project, settings, files));
  return read_nix(root, file, project, std::move(files));
}

Result<Reading> load_generators(const std::string& file, const std::string& folder, nix::Settings settings) {
  settings.folder = absolute(folder);
  TRY_LET(const nix::Evaluation evaluation, nix::evaluate_generators(absolute(file), settings));
  return read_nix(tree_of(evaluation.declaration), file, settings.folder, {file});
}

Result<Declaration> load_nix(const std::string& file, const std::string& folder, const nix::Settings& settings) {
  TRY_LET(Reading reading, load_nix_leniently(file, folder, settings));
  return only_without_problems(std::move(reading));
}

}  // namespace vmcred::declare
