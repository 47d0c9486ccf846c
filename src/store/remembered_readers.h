// Whom secrets are encrypted and linked to, remembered between runs: as git's index does it, by the inodes and times of
// what was read. Looking at a secret again costs four looks at times then, where reading it costs four folders and
// files.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "store/access.h"

namespace vmcred::store {

/// What was read of one secret whose links were all good links.
struct SecretReaders {
  std::vector<PublicKey> recipients = {};  ///< of its file, sorted
  Links links = {};
  auto operator<=>(const SecretReaders&) const = default;
};

/// For commands that only look: whoever writes reads the store itself. Usable from many threads at once.
class RememberedReaders {
 public:
  /// What is remembered of the project `root` in a file of `folder` (below the user's cache). Without such a file, or
  /// with one that is damaged or another user could have written, nothing is; nor where there is no such folder (""),
  /// the project's file system keeps no change times, or the cache is another user's. `now`: what changed less than two
  /// seconds before it may change again unseen, so it is not remembered.
  static RememberedReaders open(const std::string& folder, const Fd& root, SystemTime now = real_clock().now());

  /// The inodes and times of the secret `file`, which `generator.look` has found, and of its folders of links; "" where
  /// it cannot be told by them (a link, another file system, changed just now).
  [[nodiscard]] std::string stamp(const GeneratorFolder& generator, const std::string& file) const;

  /// What was read of `folder` (below the project) when it had this stamp; null when that is not known. Good as long as
  /// this.
  const SecretReaders* find(std::string_view folder, std::string_view stamp);
  /// Remembers it. What no line can hold (a name with a tab) is left out.
  void note(std::string_view folder, std::string_view stamp, const SecretReaders& readers);

  /// Writes the file when something new was noted. With `whole` the folders that were not asked for in this run are
  /// forgotten.
  Result<> save(bool whole) const;

 private:
  RememberedReaders() = default;
  struct Entry {
    std::string_view stamp;
    std::size_t readers = 0;  ///< in known_
    bool met = false;         ///< each folder is looked at by one thread
  };
  struct Noted {
    std::string folder;
    std::string stamp;
    SecretReaders readers;
  };
  bool parse();

  std::string path_;
  std::uint64_t device_ = 0;
  SystemTime before_ = {};
  std::string text_;  ///< of the file; `entries_` looks into it
  std::vector<SecretReaders> known_;
  std::unordered_map<std::string_view, Entry> entries_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  std::vector<Noted> noted_;
};

}  // namespace vmcred::store
