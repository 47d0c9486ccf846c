// One git of ours at work in a repository, and what became of one that was killed: its locks, which stop every later
// git.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::store {

/// While this lives a mark stands in the git folder: which lock files were not there before. git holds it too, as an
/// open file, so it is free when both have ended, however. A mark that is free and not empty is that of a git that was
/// killed.
class GitTurn {
 public:
  /// Waits a few seconds for a git of ours that has lost us, and removes the locks that a killed one left: those of its
  /// mark that are younger than that, unless a git of anybody runs in this repository. `folder`: the git folder;
  /// `root`: where the repository's files are.
  static Result<GitTurn> take(const std::string& folder, const std::string& root);
  GitTurn(GitTurn&&) = default;
  GitTurn& operator=(GitTurn&&) = default;
  GitTurn(const GitTurn&) = delete;
  GitTurn& operator=(const GitTurn&) = delete;
  ~GitTurn();

  /// To be handed to git.
  [[nodiscard]] const Fd& mark() const { return mark_; }

 private:
  explicit GitTurn(Fd mark) : mark_(std::move(mark)) {}
  Fd mark_;  ///< empty where one that lost us still runs: git says what is in its way
};

}  // namespace vmcred::store
