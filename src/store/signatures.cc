#include "store/signatures.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "age/sshsig.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/sha256.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxSignature = 16 * 1024;
constexpr std::size_t kMaxOwnFile = 1024 * 1024;

std::string remedy(const std::string& folder) {
  return fmt::format("look at what changed ('git log -p -- {0}') and bring it back; if it is right as it is, run 'vmcred "
                     "signatures sign {0}'",
                     folder);
}

/// A file of one's own that says whom to trust, or signs, is worth nothing when others may change (or read) it.
Result<bool> guarded(const std::string& path, mode_t forbidden, const char* what) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno("look at '{}'", path);
  }
  if ((status.st_mode & forbidden) == 0) return true;
  return hint(fail(Errc::denied, "'{}' may be {} by others (mode {:04o})", path, what, status.st_mode & 07777U),
              fmt::format("run 'chmod go-{} {}'", forbidden == 0022 ? "w" : "rwx", path));
}

}  // namespace

Result<Signatures::Verified> Signatures::verify(const Fd& root, const std::string& folder) const {
  const auto refuse = [&](Error error) -> Result<Verified> {
    error.message = fmt::format("'{}' cannot be trusted: {}", folder, error.message);
    if (error.hint.empty() || error.code == Errc::denied) error.hint = remedy(folder);
    return std::unexpected(std::move(error));
  };
  const std::string path = fmt::format("{}/{}", folder, kSignatureName);
  const Result<Fd> fd = open_beneath(root, path, O_RDONLY | O_CLOEXEC);
  if (!fd && fd.error().code == Errc::not_found) return refuse({.code = Errc::mismatch, .message = "nobody signed it"});
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
  return Verified{.signer = *std::move(signer), .digests = std::move(statement->digests)};
}

Result<Signatures::Verified> Signatures::remembered(const Fd& root, const std::string& folder) const {
  const std::scoped_lock hold(mutex_);
  const auto known = verified_.find(folder);
  if (known != verified_.end()) return known->second;
  return verified_.emplace(folder, verify(root, folder)).first->second;
}

Result<std::string> Signatures::signer(const Fd& root, const std::string& folder) const {
  TRY_LET(const Verified verified, remembered(root, folder));
  return verified.signer;
}

Result<> Signatures::check_file(const Fd& root, const std::string& path, std::string_view text) const {
  const std::string folder = signed_folder(path);
  if (folder.empty() || folder.size() == path.size()) return fail(Errc::mismatch, "'{}' is nothing that is signed", path);
  TRY_LET(const Verified verified, remembered(root, folder));
  const auto digest = verified.digests.find(path.substr(folder.size() + 1));
  if (digest != verified.digests.end() && digest->second == hex_encode(sha256(bytes_of(text)))) return {};
  return hint(fail(Errc::mismatch, "'{}' was changed while it was read", path), "run the command again");
}

Result<> Signatures::check_links(const Fd& root, const std::string& folder) const {
  const std::string whole = signed_folder(folder);
  if (whole.empty()) return fail(Errc::mismatch, "'{}' is nothing that is signed", folder);
  TRY_LET(const Verified verified, remembered(root, whole));
  return {};
}

Result<> Signatures::may_change() const {
  if (!own_)
    return hint(fail(Errc::denied, "this project is signed, and you have no key to sign changes with"),
                "run 'vmcred signatures keygen', and let the others trust the key that it prints");
  if (trusted_.trusts(own_->public_key, kFolderNameSpace, clock_->now())) return {};
  return hint(fail(Errc::denied, "you do not trust your own signing key: {}", own_->public_key.line()),
              "run 'vmcred signatures keygen', which adds it to your trusted-signers");
}

Result<std::string> Signatures::sign(const Fd& tree, const std::string& folder) const {
  TRY_LET(const Statement statement, make_statement(tree, folder));
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

std::string signing_folder(const Environment& environment) {
  const std::string keys = operator_key_path(environment);
  constexpr std::string_view kBelow = "/sops/age/keys.txt";
  return keys.starts_with('/') ? keys.substr(0, keys.size() - kBelow.size()) + "/vmcred" : std::string();
}

Result<std::optional<age::TrustedSigners>> read_trusted_signers(const std::string& path) {
  TRY_LET(const bool there, guarded(path, 0022, "written"));
  if (!there) return std::nullopt;
  TRY_LET(const std::string text, read_file(path, kMaxOwnFile));
  TRY_LET(age::TrustedSigners trusted, in(fmt::format("read '{}'", path), age::TrustedSigners::parse(text)));
  return trusted;
}

Result<std::optional<age::TrustedSigners>> own_trusted_signers(const Environment& environment) {
  const std::string folder = signing_folder(environment);
  if (folder.empty()) return std::nullopt;
  return read_trusted_signers(folder + "/trusted-signers");
}

Result<std::optional<age::SshPrivateKey>> own_signing_key(const Environment& environment) {
  const std::string path = signing_folder(environment) + "/signing-key";
  TRY_LET(const bool there, guarded(path, 0077, "read"));
  if (!there) return std::nullopt;
  TRY_LET(const Secret text, read_secret(path, kMaxOwnFile));
  TRY_LET(age::SshPrivateKey key, in(fmt::format("read '{}'", path), age::parse_ssh_private_key(text.text())));
  return key;
}

Result<std::set<std::string>> signed_projects(const Environment& environment) {
  std::set<std::string> all;
  const std::string path = signing_folder(environment) + "/signed-projects";
  TRY_LET(const bool there, guarded(path, 0022, "written"));
  if (!there) return all;
  TRY_LET(const std::string text, read_file(path, kMaxOwnFile));
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!line.empty()) all.emplace(line);
  }
  return all;
}

Result<> remember_signed_project(const Environment& environment, const std::string& folder) {
  TRY_LET(std::set<std::string> all, signed_projects(environment));
  if (!all.insert(folder).second) return {};
  std::string text;
  for (const std::string& one : all) text += one + "\n";
  return write_file(signing_folder(environment) + "/signed-projects", text, 0600);
}

}  // namespace vmcred::store
