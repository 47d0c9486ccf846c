// What a signature in the store is over: the files, links and readers of one folder, as a text that people can read.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "store/proof.h"

namespace vmcred::store {

inline constexpr std::string_view kSignatureName = ".vmcred.sig";
/// The SSHSIG name space of a folder's signature.
inline constexpr std::string_view kFolderNameSpace = "vmcred";

/// The folder that is signed as one, for any path in the store: a generator's, or one user's, machine's, group's or
/// secret's below sops/. "" where nothing is signed.
///
///     signed_folder("vars/per-machine/web/token/key/secret")  // -> "vars/per-machine/web/token"
///     signed_folder("sops/users/alice/key.json")              // -> "sops/users/alice"
std::string signed_folder(std::string_view path);
/// All such folders that are there below the project folder `root`, sorted.
Result<std::vector<std::string>> signed_folders(const Fd& root);

/// What stands in a folder.
struct Statement {
  std::string text;
  Contents contents = {};
};

/// The statement over the tree below `tree`, which is or becomes `folder`. The signature itself is left out.
///
///     vmcred folder 1
///     folder vars/per-machine/web/token
///     file .vmcred.json 5891b5b5…
///     file key/secret 7d865e95…
///     reader key/secret age1…
///     link key/users/alice ../../../../../../sops/users/alice
///
/// Blanks in names are written %20, percent signs %25. Names with control characters and anything but files, links and
/// folders are `invalid_data`.
Result<Statement> make_statement(const Fd& tree, const std::string& folder);

}  // namespace vmcred::store
