// The signatures of a repository: each generator's folder, and each user's, machine's, group's and secret's below
// sops/, carries one of somebody trusted in its .vmcred.sig.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "age/trusted_signers.h"
#include "base/clock.h"
#include "store/proof.h"
#include "store/statement.h"

namespace vmcred::store {

/// A Proof by signatures of folders. A folder is verified when something in it is first read, and what is read must be
/// the bytes that were verified.
class Signatures final : public Proof {
 public:
  /// `own`: the key that signs changes; without one, nothing may be changed. `exempt`: what the owner of a project that
  /// nobody ever signed may do, said when there is no signature in all of it.
  Signatures(age::TrustedSigners trusted, std::optional<age::SshPrivateKey> own, const Clock& clock = real_clock(),
             std::string exempt = {})
      : trusted_(std::move(trusted)), own_(std::move(own)), clock_(&clock), exempt_(std::move(exempt)) {}

  Result<> check_file(const Fd& root, const std::string& path, std::string_view text) const override;
  Result<> check_links(const Fd& root, const std::string& place,
                       const std::map<std::string, std::string>& links) const override;
  [[nodiscard]] Result<Contents> vouched(const Fd& root, const std::string& folder) const override;
  [[nodiscard]] Result<> may_change() const override;
  [[nodiscard]] Result<std::string> sign(const Fd& tree, const std::string& folder,
                                         const Contents& meant) const override;
  void forget(const std::string& folder) const override;
  /// A signature of some other text.
  [[nodiscard]] Result<std::string> sign_text(std::string_view name_space, std::string_view text) const;

  /// The name of who signed `folder` as it is now. `mismatch` or `denied`: it is not signed, was changed since, or a
  /// stranger signed it.
  [[nodiscard]] Result<std::string> signer(const Fd& root, const std::string& folder) const;

 private:
  struct Verified {
    std::string signer;
    Contents contents;
  };
  using Kept = std::shared_ptr<const Verified>;
  Result<Kept> verify(const Fd& root, const std::string& folder) const;
  Result<Kept> remembered(const Fd& root, const std::string& folder) const;

  age::TrustedSigners trusted_;
  std::optional<age::SshPrivateKey> own_;
  const Clock* clock_;
  std::string exempt_;
  mutable std::mutex mutex_ = {};
  mutable std::map<std::string, Result<Kept>> verified_ = {};
};

}  // namespace vmcred::store
