// The signatures of a repository: each generator's folder, and each user's, machine's, group's and secret's below sops/,
// carries one of somebody trusted in its .vmcred.sig.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "age/trusted_signers.h"
#include "base/clock.h"
#include "store/key_ring.h"
#include "store/proof.h"
#include "store/statement.h"

namespace vmcred::store {

/// A Proof by signatures of folders. A folder is verified when something in it is first read, and what is read must be
/// the bytes that were verified.
class Signatures final : public Proof {
 public:
  /// `own`: the key that signs changes; without one, nothing may be changed.
  Signatures(age::TrustedSigners trusted, std::optional<age::SshPrivateKey> own, const Clock& clock = real_clock())
      : trusted_(std::move(trusted)), own_(std::move(own)), clock_(&clock) {}

  Result<> check_file(const Fd& root, const std::string& path, std::string_view text) const override;
  Result<> check_links(const Fd& root, const std::string& folder) const override;
  [[nodiscard]] Result<> may_change() const override;
  [[nodiscard]] Result<std::string> sign(const Fd& tree, const std::string& folder) const override;
  void forget(const std::string& folder) const override;
  /// A signature of some other text.
  [[nodiscard]] Result<std::string> sign_text(std::string_view name_space, std::string_view text) const;

  /// The name of who signed `folder` as it is now. `mismatch` or `denied`: it is not signed, was changed since, or a
  /// stranger signed it.
  [[nodiscard]] Result<std::string> signer(const Fd& root, const std::string& folder) const;

 private:
  struct Verified {
    std::string signer;
    std::map<std::string, std::string> digests;
  };
  Result<Verified> verify(const Fd& root, const std::string& folder) const;
  Result<Verified> remembered(const Fd& root, const std::string& folder) const;

  age::TrustedSigners trusted_;
  std::optional<age::SshPrivateKey> own_;
  const Clock* clock_;
  mutable std::mutex mutex_ = {};
  mutable std::map<std::string, Result<Verified>> verified_ = {};
};

/// Where a person's part of this is: $XDG_CONFIG_HOME/vmcred (default ~/.config/vmcred). "" without a home.
std::string signing_folder(const Environment& environment);

/// Whose signatures count for this person: `trusted-signers` there. Empty where there is no such file: then signatures
/// are neither made nor wanted. A file that others may write is `denied`.
Result<std::optional<age::TrustedSigners>> own_trusted_signers(const Environment& environment);
/// The same for one file.
Result<std::optional<age::TrustedSigners>> read_trusted_signers(const std::string& path);

/// The key that this person signs with: `signing-key` there, an OpenSSH Ed25519 file without a passphrase. Empty where
/// there is none. A file that others may read is `denied`.
Result<std::optional<age::SshPrivateKey>> own_signing_key(const Environment& environment);

/// The projects that are signed although vmcred has no declaration there (clan's): `signed-projects` there, one absolute
/// path a line. A project that somebody signed in is remembered in it, so that nobody turns signatures off for him by
/// taking the declaration away.
Result<std::set<std::string>> signed_projects(const Environment& environment);
Result<> remember_signed_project(const Environment& environment, const std::string& folder);

}  // namespace vmcred::store
