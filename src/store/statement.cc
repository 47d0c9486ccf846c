#include "store/statement.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/file.h"
#include "base/sha256.h"
#include "sops/sops.h"
#include "store/entries.h"
#include "store/repository.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxEntries = 100'000;

/// The folders below which the signed ones stand, with how deep: vars/shared/GEN, vars/per-machine/M/GEN, sops/users/U.
struct Level {
  std::string_view folder;
  int depth;
};
constexpr std::array<Level, 8> kLevels = {{{"vars/shared", 1},
                                           {"vars/per-machine", 2},
                                           {"vars/per-vm", 2},
                                           {"vars/per-export", 2},
                                           {"sops/users", 1},
                                           {"sops/machines", 1},
                                           {"sops/groups", 1},
                                           {"sops/secrets", 1}}};

/// A path as one word: a blank in it is no end.
std::string word(const std::string& path) {
  std::string out;
  for (const char c : path) out += c == ' ' ? std::string("%20") : c == '%' ? std::string("%25") : std::string(1, c);
  return out;
}

/// One line holds one thing; a name that could start another line is none.
Result<> check_words(const std::string& words) {
  const bool plain =
      std::ranges::none_of(words, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (plain) return {};
  return fail(Errc::invalid_data, "a name or link in it holds control characters");
}

/// Collects the lines of a tree, in the order of the names.
class Writer {
 public:
  Writer(const Fd& tree, Statement& statement) : tree_(tree), statement_(statement) {}

  Result<> folder(const std::string& path, std::size_t depth) {
    if (depth > kMaxDepth) return fail(Errc::invalid_data, "'{}' is nested deeper than {} folders", path, kMaxDepth);
    TRY_LET(const std::vector<Entry> entries, entries_in(tree_, path.empty() ? "." : path));
    for (const Entry& entry : entries) {
      const std::string inner = path.empty() ? entry.name : path + "/" + entry.name;
      if (inner == kSignatureName) continue;
      if (++count_ > kMaxEntries) return fail(Errc::invalid_data, "more than {} files", kMaxEntries);
      TRY(check_words(inner + entry.target));
      switch (entry.type) {
        case Entry::Type::folder:
          TRY(folder(inner, depth + 1));
          break;
        case Entry::Type::link:
          statement_.text += fmt::format("link {} {}\n", word(inner), word(entry.target));
          statement_.contents.links[inner] = entry.target;
          break;
        case Entry::Type::file:
          TRY(file(inner));
          break;
        case Entry::Type::other:
          return fail(Errc::invalid_data, "'{}' is neither file, link nor folder", inner);
      }
    }
    return {};
  }

 private:
  Result<> file(const std::string& path) {
    TRY_LET(const Fd fd, open_beneath(tree_, path, O_RDONLY | O_CLOEXEC));
    TRY_LET(const std::string text, read_all(fd, path, kMaxStoredBytes));
    const std::string digest = hex_encode(sha256(bytes_of(text)));
    statement_.text += fmt::format("file {} {}\n", word(path), digest);
    statement_.contents.files[path] = digest;
    if (path != "secret" && !path.ends_with("/secret")) return {};
    const Result<sops::File> secret = sops::parse(text);
    if (!secret) return {};  // damaged: the digest says what it is, and whoever reads it says the rest
    for (const std::string& reader : sops::recipients(*secret))
      statement_.text += fmt::format("reader {} {}\n", word(path), reader);
    return {};
  }

  const Fd& tree_;
  Statement& statement_;
  std::size_t count_ = 0;
};

Result<> collect_folders(const Fd& root, const std::string& path, int depth, std::vector<std::string>& all) {
  TRY_LET(const std::vector<Entry> entries, entries_in(root, path));
  for (const Entry& entry : entries) {
    if (entry.type != Entry::Type::folder || entry.name.starts_with('.')) continue;
    const std::string inner = path + "/" + entry.name;
    if (depth == 1) {
      all.push_back(inner);
    } else {
      TRY(collect_folders(root, inner, depth - 1, all));
    }
  }
  return {};
}

}  // namespace

std::string signed_folder(std::string_view path) {
  for (const Level& level : kLevels) {
    if (!path.starts_with(level.folder) || !path.substr(level.folder.size()).starts_with('/')) continue;
    std::size_t end = level.folder.size();
    for (int i = 0; i < level.depth; ++i) {
      if (end >= path.size()) return {};
      end = std::min(path.find('/', end + 1), path.size());
    }
    return std::string(path.substr(0, end));
  }
  return {};
}

Result<std::vector<std::string>> signed_folders(const Fd& root) {
  std::vector<std::string> all;
  for (const Level& level : kLevels) TRY(collect_folders(root, std::string(level.folder), level.depth, all));
  std::ranges::sort(all);
  return all;
}

Result<Statement> make_statement(const Fd& tree, const std::string& folder) {
  TRY(check_words(folder));
  Statement statement{.text = fmt::format("vmcred folder 1\nfolder {}\n", word(folder))};
  TRY(in(fmt::format("look through '{}'", folder), Writer(tree, statement).folder("", 1)));
  return statement;
}

}  // namespace vmcred::store
