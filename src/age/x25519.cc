#include "age/x25519.h"

#include <algorithm>

#include "age/bech32.h"
#include "base/base64.h"
#include "base/sha256.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kType = "X25519";
constexpr std::string_view kInfo = "age-encryption.org/v1/X25519";

Secret wrap_key(const Secret& shared, const X25519Point& share, const X25519Point& recipient) {
  std::array<std::uint8_t, 64> salt = {};
  std::ranges::copy(recipient, std::ranges::copy(share, salt.begin()).out);
  return hkdf_sha256(shared.bytes(), salt, bytes_of(kInfo));
}

class X25519Recipient final : public Recipient {
 public:
  X25519Recipient(std::string text, const X25519Point& point) : Recipient(std::move(text)), point_(point) {}

  [[nodiscard]] Result<Wrapped> wrap(Bytes file_key, Randomness& randomness) const override {
    const Secret secret = randomness.secret(32);
    TRY_LET(const X25519Key ephemeral, X25519Key::from(secret.bytes()));
    TRY_LET(const Secret shared, ephemeral.agree(point_));
    const Secret key = wrap_key(shared, ephemeral.point(), point_);
    Wrapped wrapped;
    wrapped.stanzas.push_back({.type = std::string(kType),
                               .arguments = {base64_encode(ephemeral.point(), Padding::without)},
                               .body = seal_file_key(key.bytes(), file_key)});
    return wrapped;
  }

 private:
  X25519Point point_;
};

class X25519Identity final : public Identity {
 public:
  explicit X25519Identity(X25519Key key) : key_(std::move(key)), recipient_(x25519_recipient_text(key_.point())) {}

  [[nodiscard]] Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const override {
    for (const Stanza& stanza : stanzas) {
      if (stanza.type != kType) continue;
      if (stanza.arguments.size() != 1) return fail(Errc::invalid_data, "an X25519 stanza has not one argument");
      TRY_LET(const std::string share_bytes,
              in("share of an X25519 stanza", base64_decode(stanza.arguments[0], Padding::without)));
      X25519Point share = {};
      if (share_bytes.size() != share.size()) return fail(Errc::invalid_data, "an X25519 share has a wrong size");
      std::ranges::copy(bytes_of(share_bytes), share.begin());
      if (stanza.body.size() != kSealedFileKey) return fail(Errc::invalid_data, "an X25519 body has a wrong size");
      TRY_LET(const Secret shared, in("X25519 stanza", key_.agree(share)));
      const Secret key = wrap_key(shared, share, key_.point());
      Result<Secret> file_key = open_file_key(key.bytes(), stanza.body);
      if (file_key) return std::optional<Secret>(*std::move(file_key));
    }
    return std::optional<Secret>();
  }
  [[nodiscard]] bool reads(std::string_view recipient) const override { return recipient == recipient_; }
  [[nodiscard]] std::string recipient() const override { return recipient_; }

 private:
  X25519Key key_;
  std::string recipient_;
};

}  // namespace

std::string seal_file_key(Bytes key, Bytes file_key) {
  std::string body(file_key.size() + 16, '\0');
  chacha_seal(key, Nonce12{}, file_key, {reinterpret_cast<std::uint8_t*>(body.data()), body.size()});  // NOLINT
  return body;
}

Result<Secret> open_file_key(Bytes key, std::string_view body) {
  Secret file_key(kFileKeySize);
  TRY(chacha_open(key, Nonce12{}, bytes_of(body), file_key.writable()));
  return file_key;
}

std::string x25519_recipient_text(const X25519Point& point) { return bech32_encode(kX25519RecipientPrefix, point); }

Result<RecipientPtr> parse_x25519_recipient(std::string_view text) {
  TRY_LET(const Bech32 decoded, bech32_decode(text));
  X25519Point point = {};
  if (decoded.prefix != kX25519RecipientPrefix || decoded.upper_case || decoded.data.size() != point.size()) {
    return fail(Errc::invalid_data, "no X25519 recipient");
  }
  std::ranges::copy(decoded.data.bytes(), point.begin());
  return RecipientPtr(std::make_shared<X25519Recipient>(std::string(text), point));
}

Result<IdentityPtr> parse_x25519_identity(std::string_view text) {
  TRY_LET(const Bech32 decoded, bech32_decode(text));
  if (decoded.prefix != kX25519IdentityPrefix || !decoded.upper_case) {
    return fail(Errc::invalid_data, "no X25519 identity");
  }
  return x25519_identity(decoded.data.bytes());
}

Result<IdentityPtr> x25519_identity(Bytes secret) {
  TRY_LET(X25519Key key, X25519Key::from(secret));
  return IdentityPtr(std::make_shared<X25519Identity>(std::move(key)));
}

}  // namespace vmcred::age
