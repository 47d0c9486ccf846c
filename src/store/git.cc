#include "store/git.h"

#include <signal.h>
#include <sys/stat.h>

#include <optional>

#include "base/file.h"
#include "base/process.h"
#include "store/git_turn.h"

namespace vmcred::store {
namespace {

/// git and its hooks get our environment without the keys in it.
std::vector<std::string> environment_of(const Environment& environment) {
  std::vector<std::string> list;
  for (const auto& [name, value] : environment)
    if (name != "SOPS_AGE_KEY") list.push_back(fmt::format("{}={}", name, value));
  return list;
}

/// Where git works: its folder and the one of the files.
struct Place {
  std::string folder;  ///< of the project
  std::string git;
};

Result<Output> git(const Place& place, std::vector<std::string> words, const std::vector<std::string>& paths,
                   const Environment& environment) {
  const std::string root = place.git.ends_with("/.git") ? place.git.substr(0, place.git.size() - 5) : place.folder;
  TRY_LET(const GitTurn turn, GitTurn::take(place.git, root));
  // Nothing is left to clean up for a process that others would wait for.
  std::vector<std::string> argv = {"git", "-C",        place.folder, "--literal-pathspecs",
                                   "-c",  "gc.auto=0", "-c",         "maintenance.auto=false"};
  argv.insert(argv.end(), words.begin(), words.end());
  Command command = {.argv = {}, .environment = environment_of(environment)};
  Fd list;
  if (!paths.empty()) {
    // A file, for a pipe that ends early because we do would be a list that is cut, and of an empty one git makes
    // "all".
    constexpr int kList = 3;
    std::string text;
    for (const std::string& path : paths) {
      text += path;
      text += '\0';
    }
    TRY_LET(list, make_memfd("paths"));
    TRY(write_all(list, text));
    argv.push_back(fmt::format("--pathspec-from-file=/proc/self/fd/{}", kList));
    argv.emplace_back("--pathspec-file-nul");
    command.descriptors.emplace_back(kList, list.get());
  }
  constexpr int kMark = 4;
  if (turn.mark()) command.descriptors.emplace_back(kMark, turn.mark().get());
  command.argv = std::move(argv);
  command.death_signal = SIGTERM;  // where we are killed git still removes its locks
  return run(command);
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

std::optional<Place> git_around(const std::string& folder, const Environment& environment) {
  Place place = {.folder = folder, .git = git_folder(folder)};
  const auto path = environment.find("PATH");
  const std::string_view search = path == environment.end() ? kSystemPath : std::string_view(path->second);
  if (place.git.empty() || !find_program("git", search)) return {};
  return place;
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
  const auto place = git_around(folder, environment);
  if (paths.empty() || !place) return false;
  std::vector<std::string> present;
  std::vector<std::string> gone;
  for (const std::string& path : paths) (stands(join_path(folder, path)) ? present : gone).push_back(path);
  if (!present.empty()) {
    std::vector<std::string> words = {"add"};
    words.emplace_back(set_in(environment, "CLAN_NO_COMMIT") ? "--intent-to-add" : "--all");
    TRY_LET(const Output output, git(*place, words, present, environment));
    if (!output.status.ok()) return failed("stage the changes", output);
  }
  if (!gone.empty()) {
    TRY_LET(const Output output, git(*place, {"rm", "-r", "-q", "--cached", "--ignore-unmatch"}, gone, environment));
    if (!output.status.ok()) return failed("stage the changes", output);
  }
  return true;
}

Result<bool> commit(const std::string& folder, const std::vector<std::string>& paths, const std::string& subject,
                    const Environment& environment) {
  const auto place = git_around(folder, environment);
  if (paths.empty() || set_in(environment, "CLAN_NO_COMMIT") || !place) return false;
  std::vector<std::string> words = {"diff", "--cached", "--quiet", "--"};
  words.insert(words.end(), paths.begin(), paths.end());
  TRY_LET(const Output difference, git(*place, words, {}, environment));
  if (difference.status.ok()) return false;
  TRY_LET(const Output output, git(*place, {"commit", "-q", "--no-verify", "-m", subject}, paths, environment));
  if (!output.status.ok()) return failed("commit the changes", output);
  return true;
}

}  // namespace vmcred::store
