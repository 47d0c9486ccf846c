#include "age/ssh.h"

#include <algorithm>

#include "age/x25519.h"
#include "base/base64.h"
#include "base/sha256.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::string_view kRsa = "ssh-rsa";
constexpr std::string_view kEd25519Label = "age-encryption.org/v1/ssh-ed25519";
constexpr std::string_view kRsaLabel = "age-encryption.org/v1/ssh-rsa";
constexpr unsigned kSmallestRsa = 2048;

/// Which key a stanza is for: the first four bytes of the SHA-256 of the wire key.
std::string tag_of(std::string_view wire) {
  return base64_encode(Bytes(sha256(bytes_of(wire))).first(4), Padding::without);
}

/// The shared secret is bound to the SSH key by one more multiplication, with a scalar derived from it.
Result<Secret> tweaked(const Secret& shared, std::string_view wire) {
  const Secret scalar = hkdf_sha256({}, bytes_of(wire), bytes_of(kEd25519Label));
  TRY_LET(const X25519Key tweak, X25519Key::from(scalar.bytes()));
  X25519Point point = {};
  std::ranges::copy(shared.bytes(), point.begin());
  Result<Secret> result = tweak.agree(point);
  wipe(point);
  return result;
}

Secret wrap_key(const Secret& shared, const X25519Point& share, const X25519Point& recipient) {
  std::array<std::uint8_t, 64> salt = {};
  std::ranges::copy(recipient, std::ranges::copy(share, salt.begin()).out);
  return hkdf_sha256(shared.bytes(), salt, bytes_of(kEd25519Label));
}

class Ed25519Recipient final : public Recipient {
 public:
  Ed25519Recipient(std::string text, std::string wire, const X25519Point& point)
      : Recipient(std::move(text)), wire_(std::move(wire)), point_(point) {}

  [[nodiscard]] Result<Wrapped> wrap(Bytes file_key, Randomness& randomness) const override {
    const Secret secret = randomness.secret(32);
    TRY_LET(const X25519Key ephemeral, X25519Key::from(secret.bytes()));
    TRY_LET(const Secret first, ephemeral.agree(point_));
    TRY_LET(const Secret shared, tweaked(first, wire_));
    const Secret key = wrap_key(shared, ephemeral.point(), point_);
    Wrapped wrapped;
    wrapped.stanzas.push_back({.type = std::string(kEd25519),
                               .arguments = {tag_of(wire_), base64_encode(ephemeral.point(), Padding::without)},
                               .body = seal_file_key(key.bytes(), file_key)});
    return wrapped;
  }

 private:
  std::string wire_;
  X25519Point point_;
};

class RsaRecipient final : public Recipient {
 public:
  RsaRecipient(std::string text, std::string wire, RsaKey key)
      : Recipient(std::move(text)), wire_(std::move(wire)), key_(std::move(key)) {}

  [[nodiscard]] Result<Wrapped> wrap(Bytes file_key, Randomness& /*randomness*/) const override {
    TRY_LET(std::string body, key_.oaep_seal(kRsaLabel, file_key));
    Wrapped wrapped;
    wrapped.stanzas.push_back({.type = std::string(kRsa), .arguments = {tag_of(wire_)}, .body = std::move(body)});
    return wrapped;
  }

 private:
  std::string wire_;
  RsaKey key_;
};

/// What the two identities have in common: the wire key, its tag and its line.
class SshIdentity : public Identity {
 public:
  [[nodiscard]] bool reads(std::string_view recipient) const override {
    return recipient == line_ || (recipient.starts_with(line_) && recipient[line_.size()] == ' ');  // a comment
  }
  [[nodiscard]] std::string recipient() const override { return line_; }

 protected:
  explicit SshIdentity(const SshPublicKey& key) : line_(key.line()), wire_(key.wire), tag_(tag_of(key.wire)) {}
  [[nodiscard]] const std::string& wire() const { return wire_; }

  /// Whether the stanza is of that type and for this key. A wrong number of arguments is `invalid_data`.
  [[nodiscard]] Result<bool> is_mine(const Stanza& stanza, std::string_view type, std::size_t arguments) const {
    if (stanza.type != type) return false;
    if (stanza.arguments.size() != arguments) {
      return fail(Errc::invalid_data, "a stanza of the type {} has {} arguments", type, stanza.arguments.size());
    }
    return stanza.arguments[0] == tag_;
  }

 private:
  std::string line_;
  std::string wire_;
  std::string tag_;
};

class Ed25519Identity final : public SshIdentity {
 public:
  Ed25519Identity(const SshPublicKey& key, X25519Key secret) : SshIdentity(key), key_(std::move(secret)) {}

  [[nodiscard]] Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const override {
    for (const Stanza& stanza : stanzas) {
      TRY_LET(const bool mine, is_mine(stanza, kEd25519, 2));
      if (!mine) continue;
      TRY_LET(const std::string share_bytes,
              in("share of an ssh-ed25519 stanza", base64_decode(stanza.arguments[1], Padding::without)));
      X25519Point share = {};
      if (share_bytes.size() != share.size() || stanza.body.size() != kSealedFileKey) {
        return fail(Errc::invalid_data, "an ssh-ed25519 stanza has a wrong size");
      }
      std::ranges::copy(bytes_of(share_bytes), share.begin());
      TRY_LET(const Secret first, in("ssh-ed25519 stanza", key_.agree(share)));
      TRY_LET(const Secret shared, in("ssh-ed25519 stanza", tweaked(first, wire())));
      const Secret key = wrap_key(shared, share, key_.point());
      TRY_LET(Secret file_key, in("ssh-ed25519 stanza", open_file_key(key.bytes(), stanza.body)));
      return std::optional<Secret>(std::move(file_key));
    }
    return std::optional<Secret>();
  }

 private:
  X25519Key key_;
};

class RsaIdentity final : public SshIdentity {
 public:
  RsaIdentity(const SshPublicKey& key, RsaKey secret) : SshIdentity(key), key_(std::move(secret)) {}

  [[nodiscard]] Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const override {
    for (const Stanza& stanza : stanzas) {
      TRY_LET(const bool mine, is_mine(stanza, kRsa, 1));
      if (!mine) continue;
      TRY_LET(Secret file_key, in("ssh-rsa stanza", key_.oaep_open(kRsaLabel, bytes_of(stanza.body))));
      if (file_key.size() != kFileKeySize) return fail(Errc::invalid_data, "an ssh-rsa stanza holds no file key");
      return std::optional<Secret>(std::move(file_key));
    }
    return std::optional<Secret>();
  }

 private:
  RsaKey key_;
};

Result<> check_size(const RsaKey& key) {
  if (key.bits() >= kSmallestRsa) return {};
  return fail(Errc::invalid_data, "the RSA key has {} bits, fewer than {}", key.bits(), kSmallestRsa);
}

}  // namespace

Result<RecipientPtr> parse_ssh_recipient(std::string_view text) {
  TRY_LET(SshPublicKey key, parse_ssh_public_key(text));
  if (const Ed25519Point* const point = key.ed25519()) {
    TRY_LET(const X25519Point curve_point, x25519_of(*point));
    return RecipientPtr(std::make_shared<Ed25519Recipient>(std::string(text), std::move(key.wire), curve_point));
  }
  TRY_LET(RsaKey rsa, RsaKey::from(*key.rsa()));
  TRY(check_size(rsa));
  return RecipientPtr(std::make_shared<RsaRecipient>(std::string(text), std::move(key.wire), std::move(rsa)));
}

Result<Identities> ssh_identities(SshPrivateKey key) {
  Identities identities;
  if (const Secret* const seed = key.seed()) {
    const Secret scalar = x25519_of_seed(seed->bytes());
    TRY_LET(X25519Key curve_key, X25519Key::from(scalar.bytes()));
    identities.push_back(std::make_shared<Ed25519Identity>(key.public_key, std::move(curve_key)));
    TRY_LET(IdentityPtr converted, x25519_identity(scalar.bytes()));
    identities.push_back(std::move(converted));
    return identities;
  }
  RsaKey& rsa = std::get<RsaKey>(key.key);
  TRY(check_size(rsa));
  identities.push_back(std::make_shared<RsaIdentity>(key.public_key, std::move(rsa)));
  return identities;
}

}  // namespace vmcred::age
