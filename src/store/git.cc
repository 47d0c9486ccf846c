#include "store/git.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"

namespace vmcred::store {
namespace {

/// git and its hooks get our environment without the keys in it.
std::vector<std::string> environment_of(const Environment& environment) {
  std::vector<std::string> list;
  for (const auto& [name, value] : environment)
    if (name != "SOPS_AGE_KEY") list.push_back(fmt::format("{}={}", name, value));
  return list;
}

Result<Output> git(const std::string& folder, std::vector<std::string> words, const std::vector<std::string>& paths,
                   const Environment& environment) {
  std::vector<std::string> argv = {"git", "-C", folder, "--literal-pathspecs"};
  argv.insert(argv.end(), words.begin(), words.end());
  std::string list;
  for (const std::string& path : paths) {
    list += path;
    list += '\0';
  }
  if (!paths.empty()) {
    argv.emplace_back("--pathspec-from-file=-");
    argv.emplace_back("--pathspec-file-nul");
  }
  return run({.argv = std::move(argv), .environment = environment_of(environment)}, {.input = list});
}

Failure failed(const std::string& what, const Output& output) {
  std::string reason = output.err.substr(0, output.err.find('\n'));
  return fail(Errc::io, "{}: git ended with {}{}{}", what, output.status.text(), reason.empty() ? "" : ": ", reason);
}

bool stands(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool set_in(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found != environment.end() && !found->second.empty() && found->second != "0";
}

bool has_git(const std::string& folder, const Environment& environment) {
  if (git_folder(folder).empty()) return false;
  const auto path = environment.find("PATH");
  return find_program("git", path == environment.end() ? kSystemPath : std::string_view(path->second)).has_value();
}

}  // namespace

std::string git_folder(const std::string& folder) {
  constexpr int kMaxLevels = 64;
  std::string here = folder;
  for (int level = 0; level < kMaxLevels; ++level) {
    const std::string candidate = join_path(here, ".git");
    if (is_folder(candidate)) return candidate;
    if (exists(candidate)) {
      const Result<std::string> text = read_file(candidate, 4096);
      constexpr std::string_view kPrefix = "gitdir: ";
      if (!text || !text->starts_with(kPrefix)) return {};
      std::string target = text->substr(kPrefix.size());
      while (target.ends_with('\n')) target.pop_back();
      return join_path(here, target);
    }
    if (here == "/" || here.empty() || !here.contains('/')) return {};
    here = here.rfind('/') == 0 ? "/" : here.substr(0, here.rfind('/'));
  }
  return {};
}

Result<bool> stage(const std::string& folder, const std::vector<std::string>& paths, const Environment& environment) {
  if (paths.empty() || !has_git(folder, environment)) return false;
  std::vector<std::string> present;
  std::vector<std::string> gone;
  for (const std::string& path : paths) (stands(join_path(folder, path)) ? present : gone).push_back(path);
  if (!present.empty()) {
    std::vector<std::string> words = {"add"};
    words.emplace_back(set_in(environment, "CLAN_NO_COMMIT") ? "--intent-to-add" : "--all");
    TRY_LET(const Output output, git(folder, words, present, environment));
    if (!output.status.ok()) return failed("stage the changes", output);
  }
  if (!gone.empty()) {
    TRY_LET(const Output output, git(folder, {"rm", "-r", "-q", "--cached", "--ignore-unmatch"}, gone, environment));
    if (!output.status.ok()) return failed("stage the changes", output);
  }
  return true;
}

Result<bool> commit(const std::string& folder, const std::vector<std::string>& paths, const std::string& subject,
                    const Environment& environment) {
  if (paths.empty() || set_in(environment, "CLAN_NO_COMMIT") || !has_git(folder, environment)) return false;
  std::vector<std::string> words = {"diff", "--cached", "--quiet", "--"};
  words.insert(words.end(), paths.begin(), paths.end());
  TRY_LET(const Output difference, git(folder, words, {}, environment));
  if (difference.status.ok()) return false;
  TRY_LET(const Output output, git(folder, {"commit", "-q", "--no-verify", "-m", subject}, paths, environment));
  if (!output.status.ok()) return failed("commit the changes", output);
  return true;
}

}  // namespace vmcred::store
