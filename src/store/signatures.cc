#include "store/signatures.h"

#include <fcntl.h>

#include <algorithm>

#include "age/sshsig.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/open_steps.h"
#include "base/sha256.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxSignature = 16 * 1024;

std::string remedy(const std::string& folder) {
  return fmt::format(
      "look at what changed ('git log -p -- {0}') and bring it back; if it is right as it is, run 'vmcred "
      "signatures sign {0}'",
      folder);
}

Failure changed_meanwhile(const std::string& path) {
  return hint(fail(Errc::mismatch, "'{}' was changed while it was read", path), "run the command again");
}

/// Whether any folder of the project carries a signature.
bool signed_anywhere(const Fd& root) {
  const Result<std::vector<std::string>> folders = signed_folders(root);
  return !folders || std::ranges::any_of(*folders, [&](const std::string& folder) {
    return static_cast<bool>(try_open_beneath(root, fmt::format("{}/{}", folder, kSignatureName), O_PATH)) ||
           errno != ENOENT;
  });
}

}  // namespace

Result<Signatures::Kept> Signatures::verify(const Fd& root, const std::string& folder) const {
  const auto refuse = [&](Error error) -> Result<Kept> {
    error.message = fmt::format("'{}' cannot be trusted: {}", folder, error.message);
    if (error.hint.empty() || error.code == Errc::denied) error.hint = remedy(folder);
    return std::unexpected(std::move(error));
  };
  const std::string path = fmt::format("{}/{}", folder, kSignatureName);
  const Result<Fd> fd = open_beneath(root, path, O_RDONLY | O_CLOEXEC);
  if (!fd && fd.error().code == Errc::not_found) {
    Error unsigned_one{.code = Errc::mismatch, .message = "nobody signed it"};
    if (!exempt_.empty() && !signed_anywhere(root)) unsigned_one.hint = fmt::format("{}; {}", remedy(folder), exempt_);
    return refuse(std::move(unsigned_one));
  }
  if (!fd) return refuse(fd.error());
  const Result<std::string> signature = read_all(*fd, path, kMaxSignature);
  if (!signature) return refuse(signature.error());
  Result<Fd> tree = open_beneath(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!tree) return refuse(tree.error());
  Result<Statement> statement = make_statement(*tree, folder);
  if (!statement) return refuse(statement.error());
  Result<std::string> signer = trusted_.verify(*signature, kFolderNameSpace, bytes_of(statement->text), clock_->now());
  if (!signer && signer.error().code == Errc::mismatch) signer.error().message = "it was changed since it was signed";
  if (!signer) return refuse(signer.error());
  return std::make_shared<const Verified>(
      Verified{.signer = *std::move(signer), .contents = std::move(statement->contents)});
}

Result<Signatures::Kept> Signatures::remembered(const Fd& root, const std::string& folder) const {
  const std::scoped_lock hold(mutex_);
  const auto known = verified_.find(folder);
  if (known != verified_.end()) return known->second;
  return verified_.emplace(folder, verify(root, folder)).first->second;
}

Result<std::string> Signatures::signer(const Fd& root, const std::string& folder) const {
  TRY_LET(const Kept verified, remembered(root, folder));
  return verified->signer;
}

Result<> Signatures::check_file(const Fd& root, const std::string& path, std::string_view text) const {
  const std::string folder = signed_folder(path);
  if (folder.empty() || folder.size() == path.size())
    return fail(Errc::mismatch, "'{}' is nothing that is signed", path);
  TRY_LET(const Kept verified, remembered(root, folder));
  const auto digest = verified->contents.files.find(path.substr(folder.size() + 1));
  if (digest != verified->contents.files.end() && digest->second == hex_encode(sha256(bytes_of(text)))) return {};
  return changed_meanwhile(path);
}

Result<> Signatures::check_links(const Fd& root, const std::string& place,
                                 const std::map<std::string, std::string>& links) const {
  const std::string folder = signed_folder(place);
  if (folder.empty() || folder.size() == place.size())
    return fail(Errc::mismatch, "'{}' is nothing that is signed", place);
  TRY_LET(const Kept verified, remembered(root, folder));
  const std::string prefix = place.substr(folder.size() + 1) + "/";
  std::map<std::string, std::string> signed_ones;
  for (const auto& [path, target] : verified->contents.links)
    if (path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos)
      signed_ones[path.substr(prefix.size())] = target;
  return links == signed_ones ? Result<>{} : changed_meanwhile(place);
}

Result<Contents> Signatures::vouched(const Fd& root, const std::string& folder) const {
  if (signed_folder(folder) != folder) return fail(Errc::mismatch, "'{}' is nothing that is signed", folder);
  TRY_LET(const Kept verified, remembered(root, folder));
  return verified->contents;
}

Result<> Signatures::may_change() const {
  if (!own_)
    return hint(fail(Errc::denied, "this project is signed, and you have no key to sign changes with"),
                "run 'vmcred signatures keygen', and let the others trust the key that it prints");
  if (trusted_.trusts(own_->public_key, kFolderNameSpace, clock_->now())) return {};
  return hint(fail(Errc::denied, "you do not trust your own signing key: {}", own_->public_key.line()),
              "run 'vmcred signatures keygen', which adds it to your trusted-signers");
}

Result<std::string> Signatures::sign(const Fd& tree, const std::string& folder, const Contents& meant) const {
  TRY_LET(const Statement statement, make_statement(tree, folder));
  if (statement.contents != meant)
    return hint(fail(Errc::mismatch, "'{}' is not signed: somebody else changed it at the same time", folder),
                "look at what changed, and run the command again");
  return sign_text(kFolderNameSpace, statement.text);
}

Result<std::string> Signatures::sign_text(std::string_view name_space, std::string_view text) const {
  TRY(may_change());
  return age::ssh_sign(*own_, name_space, bytes_of(text));
}

void Signatures::forget(const std::string& folder) const {
  const std::scoped_lock hold(mutex_);
  verified_.erase(folder);
}

}  // namespace vmcred::store
