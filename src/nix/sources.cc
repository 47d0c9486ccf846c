#include "nix/sources.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

#include "base/file.h"
#include "nix/cache.h"

namespace vmcred::nix {
namespace {

constexpr std::size_t kMaxWord = 64;
constexpr std::size_t kMaxDepth = 32;

/// Words whose value is not in any file.
constexpr std::array<std::string_view, 15> kImpure{
    "getEnv",    "currentTime", "fetchurl", "fetchTarball", "fetchGit", "fetchTree",  "fetchMercurial", "fetchClosure",
    "storePath", "nixPath",     "findFile", "getFlake",     "__getEnv", "nixVersion", "langVersion"};
constexpr std::array<std::string_view, 11> kKeywords{"let",  "in",   "with", "rec",    "inherit", "if",
                                                     "then", "else", "or",   "assert", "import"};
/// Never files of a project.
constexpr std::array<std::string_view, 5> kElsewhere{"/proc/", "/sys/", "/dev/", "/run/", "/nix/store/"};

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool in_word(char c) { return letter(c) || digit(c) || c == '-' || c == '\''; }
bool in_path(char c) { return letter(c) || digit(c) || c == '-' || c == '.' || c == '/' || c == '+'; }

std::string_view run_at(std::string_view text, std::size_t start, bool (*part)(char)) {
  std::size_t end = start;
  while (end < text.size() && part(text[end])) ++end;
  return text.substr(start, end - start);
}

/// `<nixpkgs>` and the like.
bool search_path_at(std::string_view text, std::size_t at) {
  const std::string_view run = run_at(text, at + 1, in_path);
  return !run.empty() && at + 1 + run.size() < text.size() && text[at + 1 + run.size()] == '>';
}

std::string folder_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

/// `path` seen from `folder`, without "." and "..".
std::string resolve(const std::string& folder, std::string_view path) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view all) {
    while (!all.empty()) {
      const std::string_view part = all.substr(0, all.find('/'));
      if (part == "..") {
        if (!parts.empty()) parts.pop_back();
      } else if (!part.empty() && part != ".") {
        parts.emplace_back(part);
      }
      all.remove_prefix(std::min(part.size() + 1, all.size()));
    }
  };
  if (!path.starts_with('/')) add(folder);
  add(path);
  std::string whole;
  for (const std::string& part : parts) whole += "/" + part;
  return whole.empty() ? "/" : whole;
}

/// One walk over everything that the files name.
class Scan {
 public:
  explicit Scan(const std::string& file) : project_(folder_of(file)) { queue_.push_back(file); }

  Result<Sources> run() {
    while (!queue_.empty()) {
      const std::string file = std::move(queue_.front());
      queue_.pop_front();
      if (!scanned_.insert(file).second) continue;
      TRY(scan(file));
    }
    Sources sources{.nix_files = {scanned_.begin(), scanned_.end()},
                    .identifiers = {words_.begin(), words_.end()},
                    .impure = impure_};
    std::string all;
    for (const auto& [path, state] : states_) all.append(path).append(1, '\0').append(state).append(1, '\n');
    sources.digest = sha256(bytes_of(all));
    return sources;
  }

 private:
  Result<> scan(const std::string& file) {
    TRY_LET(const std::string text, read_file(file, kMaxSourceFile));
    remember(file);
    Words words = words_of(text);
    words_.insert(words.identifiers.begin(), words.identifiers.end());
    if (impure_.empty()) impure_ = words.impure;
    const std::string folder = folder_of(file);
    for (const std::string& path : words.paths) add(resolve(folder, path), path.starts_with('.'), 0);
    return {};
  }

  void remember(const std::string& path) {
    if (states_.size() >= kMaxSourceFiles) {
      impure_ = "more files than are followed";
      return;
    }
    states_.try_emplace(path, state_of_file(path));
  }

  void add(const std::string& path, bool relative, std::size_t depth) {
    if (std::ranges::any_of(kElsewhere, [&](std::string_view prefix) { return path.starts_with(prefix); })) return;
    struct stat found = {};
    if (::lstat(path.c_str(), &found) != 0) {
      if (relative) remember(path);
    } else if (S_ISREG(found.st_mode)) {
      remember(path);
      if (path.ends_with(".nix")) queue_.push_back(path);
    } else if (S_ISLNK(found.st_mode)) {
      add_link(path, depth);
    } else if (S_ISDIR(found.st_mode) && (relative || depth > 0 || path.starts_with(project_ + "/")) &&
               depth < kMaxDepth) {
      add_folder(path, depth);
    }
  }

  /// A link to a file counts as that file; one to a folder is not followed.
  void add_link(const std::string& path, std::size_t depth) {
    remember(path);
    if (path.ends_with(".nix")) queue_.push_back(path);
    if (depth == 0 && exists(path + "/default.nix")) queue_.push_back(path + "/default.nix");
  }

  void add_folder(const std::string& path, std::size_t depth) {
    if (states_.contains(path)) return;
    const auto names = list_folder(path);
    std::string listing = "folder:";
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      if (name.starts_with('.') || (path == project_ && (name == "vars" || name == "sops"))) continue;
      listing.append(name).append(1, '/');
      if (states_.size() < kMaxSourceFiles) add(join_path(path, name), true, depth + 1);
    }
    if (states_.size() >= kMaxSourceFiles) impure_ = "more files than are followed";
    states_.try_emplace(path, listing);
  }

  std::string project_;
  std::deque<std::string> queue_;
  std::set<std::string> scanned_;
  std::set<std::string> words_;
  std::map<std::string, std::string> states_;
  std::string impure_;
};

}  // namespace

Words words_of(std::string_view text) {
  Words words;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '<' && words.impure.empty() && search_path_at(text, i))
      words.impure = std::string(run_at(text, i + 1, in_path));
    if (!in_path(c)) {
      ++i;
      continue;
    }
    const std::string_view path = run_at(text, i, in_path);
    if (path.find('/') != std::string_view::npos && path != "/" && !path.starts_with("//"))
      words.paths.emplace_back(path);
    for (std::size_t at = i; at < i + path.size() || (at < text.size() && in_word(text[at]));) {
      if (!letter(text[at])) {
        ++at;
        continue;
      }
      const std::string_view word = run_at(text, at, in_word);
      at += word.size();
      if (word.size() > kMaxWord || std::ranges::find(kKeywords, word) != kKeywords.end()) continue;
      if (words.impure.empty() && std::ranges::find(kImpure, word) != kImpure.end()) words.impure = std::string(word);
      words.identifiers.emplace_back(word);
    }
    i += path.size();
  }
  std::ranges::sort(words.identifiers);
  words.identifiers.erase(std::unique(words.identifiers.begin(), words.identifiers.end()), words.identifiers.end());
  return words;
}

Result<Sources> scan_sources(const std::string& file) { return Scan(file).run(); }

}  // namespace vmcred::nix
