// The git repository around a project, when there is one: changes are staged, and committed where that is wanted.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/key_ring.h"

namespace vmcred::store {

/// The git folder (".git", or where that file points to) of the repository that `folder` lies in; "" outside of git.
std::string git_folder(const std::string& folder);

/// Stages the paths (below the project `folder`), also those that are gone. With CLAN_NO_COMMIT in the environment they
/// are only marked as to be added. False outside of git, or without the program.
Result<bool> stage(const std::string& folder, const std::vector<std::string>& paths, const Environment& environment);

/// Commits exactly these staged paths in one commit; nothing where they hold no change or CLAN_NO_COMMIT is set.
Result<bool> commit(const std::string& folder, const std::vector<std::string>& paths, const std::string& subject,
                    const Environment& environment);

}  // namespace vmcred::store
