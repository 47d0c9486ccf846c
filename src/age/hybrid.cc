#include "age/hybrid.h"

#include <algorithm>

#include "age/bech32.h"
#include "age/x25519.h"
#include "base/base64.h"
#include "base/keccak.h"
#include "base/ml_kem.h"
#include "base/sha256.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kType = "mlkem768x25519";
constexpr std::string_view kInfo = "age-encryption.org/mlkem768x25519";
constexpr std::string_view kLabel = "postquantum";
constexpr std::string_view kRecipientPrefix = "age1pq";
constexpr std::string_view kIdentityPrefix = "age-secret-key-pq-";
constexpr std::size_t kPoint = 32;
constexpr std::size_t kPublic = ml_kem::kEncapsulationKey + kPoint;
constexpr std::size_t kEncapsulated = ml_kem::kCiphertext + kPoint;
constexpr std::size_t kSeed = 32;

/// X-Wing's combination of both secrets; its label is a drawing of one (draft-connolly-cfrg-xwing-kem §5.3).
Secret combined(const Secret& lattice, const Secret& curve, const X25519Point& share, const X25519Point& recipient) {
  constexpr std::string_view kDrawing = "\\.//^\\";
  Secret shared(32);
  sha3_256({lattice.bytes(), curve.bytes(), share, recipient, bytes_of(kDrawing)}, shared.writable());
  return shared;
}

/// What HPKE seals with: base mode of RFC 9180 for KEM 0x647a, HKDF-SHA256 and ChaCha20-Poly1305, its first message.
struct Schedule {
  Secret key;
  Nonce12 nonce = {};
};

constexpr std::string_view kSuite("HPKE\x64\x7a\x00\x01\x00\x03", 10);
constexpr std::string_view kVersion = "HPKE-v1";

Digest labeled_extract(Bytes salt, std::string_view label, Bytes input) {
  const std::array<std::uint8_t, 32> zeros = {};  // what an empty salt means (RFC 5869 §2.2)
  return hmac_sha256(salt.empty() ? Bytes(zeros) : salt,
                     {bytes_of(kVersion), bytes_of(kSuite), bytes_of(label), input});
}

/// At most one block of HKDF's output.
Digest labeled_expand(Bytes key, std::string_view label, Bytes context, std::uint16_t length) {
  const std::array<std::uint8_t, 2> size = {static_cast<std::uint8_t>(length >> 8U), static_cast<std::uint8_t>(length)};
  const std::uint8_t first = 1;
  return hmac_sha256(key, {size, bytes_of(kVersion), bytes_of(kSuite), bytes_of(label), context, {&first, 1}});
}

Schedule schedule(const Secret& shared) {
  std::array<std::uint8_t, 65> context = {};  // mode, hash of no PSK's id, hash of the info
  std::ranges::copy(labeled_extract({}, "info_hash", bytes_of(kInfo)),
                    std::ranges::copy(labeled_extract({}, "psk_id_hash", {}), context.begin() + 1).out);
  Digest secret = labeled_extract(shared.bytes(), "secret", {});
  Digest key = labeled_expand(secret, "key", context, 32);
  Digest nonce = labeled_expand(secret, "base_nonce", context, 12);
  Schedule made{.key = Secret::copy_of(key)};
  std::copy_n(nonce.begin(), made.nonce.size(), made.nonce.begin());
  for (Digest* each : {&secret, &key, &nonce}) wipe(*each);
  return made;
}

class HybridRecipient final : public Recipient {
 public:
  HybridRecipient(std::string text, Bytes key) : Recipient(std::move(text)) { std::ranges::copy(key, key_.begin()); }

  [[nodiscard]] Result<Wrapped> wrap(Bytes file_key, Randomness& randomness) const override {
    const Bytes key(key_);
    X25519Point point = {};
    std::ranges::copy(key.subspan(ml_kem::kEncapsulationKey), point.begin());
    const Secret dice = randomness.secret(64);
    TRY_LET(const X25519Key ephemeral, X25519Key::from(dice.bytes().subspan(32)));
    TRY_LET(const Secret curve, ephemeral.agree(point));
    const ml_kem::Encapsulated lattice =
        ml_kem::encapsulate(key.first(ml_kem::kEncapsulationKey), dice.bytes().first(32));
    std::array<std::uint8_t, kEncapsulated> sent = {};
    std::ranges::copy(ephemeral.point(), std::ranges::copy(lattice.ciphertext, sent.begin()).out);
    const Schedule used = schedule(combined(lattice.shared, curve, ephemeral.point(), point));
    std::string body(kSealedFileKey, '\0');
    chacha_seal(used.key.bytes(), used.nonce, file_key,
                {reinterpret_cast<std::uint8_t*>(body.data()), body.size()});  // NOLINT
    Wrapped wrapped;
    wrapped.stanzas.push_back(
        {.type = std::string(kType), .arguments = {base64_encode(sent, Padding::without)}, .body = std::move(body)});
    wrapped.labels = {std::string(kLabel)};
    return wrapped;
  }

 private:
  std::array<std::uint8_t, kPublic> key_ = {};
};

class HybridIdentity final : public Identity {
 public:
  HybridIdentity(ml_kem::DecapsulationKey lattice, X25519Key curve)
      : lattice_(std::move(lattice)), curve_(std::move(curve)) {
    std::array<std::uint8_t, kPublic> key = {};
    std::ranges::copy(curve_.point(), std::ranges::copy(lattice_.encapsulation_key(), key.begin()).out);
    recipient_ = bech32_encode(kRecipientPrefix, key);
  }

  [[nodiscard]] Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const override {
    for (const Stanza& stanza : stanzas) {
      if (stanza.type != kType) continue;
      if (stanza.arguments.size() != 1) return fail(Errc::invalid_data, "an {} stanza has not one argument", kType);
      TRY_LET(const std::string sent,
              in(fmt::format("share of an {} stanza", kType), base64_decode(stanza.arguments[0], Padding::without)));
      if (sent.size() != kEncapsulated) return fail(Errc::invalid_data, "an {} share has a wrong size", kType);
      if (stanza.body.size() != kSealedFileKey) return fail(Errc::invalid_data, "an {} body has a wrong size", kType);
      TRY_LET(std::optional<Secret> file_key, opened(bytes_of(sent), stanza.body));
      if (file_key) return file_key;
    }
    return std::optional<Secret>();
  }
  [[nodiscard]] bool reads(std::string_view recipient) const override { return recipient == recipient_; }
  [[nodiscard]] std::string recipient() const override { return recipient_; }

 private:
  /// Nothing when it is for another key: a wrong one is told by the tag alone.
  [[nodiscard]] Result<std::optional<Secret>> opened(Bytes sent, std::string_view body) const {
    X25519Point share = {};
    std::ranges::copy(sent.subspan(ml_kem::kCiphertext), share.begin());
    TRY_LET(const Secret curve, in(fmt::format("{} stanza", kType), curve_.agree(share)));
    const Schedule used =
        schedule(combined(lattice_.decapsulate(sent.first(ml_kem::kCiphertext)), curve, share, curve_.point()));
    Secret file_key(kFileKeySize);
    if (!chacha_open(used.key.bytes(), used.nonce, bytes_of(body), file_key.writable())) return std::optional<Secret>();
    return std::optional<Secret>(std::move(file_key));
  }

  ml_kem::DecapsulationKey lattice_;
  X25519Key curve_;
  std::string recipient_;
};

Result<IdentityPtr> identity_of(Bytes seed) {
  if (seed.size() != kSeed)
    return fail(Errc::invalid_data, "a post-quantum key has {} bytes, not {}", kSeed, seed.size());
  Secret both(ml_kem::kSeed + 32);
  shake256({seed}, both.writable());
  TRY_LET(X25519Key curve, X25519Key::from(both.bytes().subspan(ml_kem::kSeed)));
  return IdentityPtr(
      std::make_shared<HybridIdentity>(ml_kem::DecapsulationKey(both.bytes().first(ml_kem::kSeed)), std::move(curve)));
}

}  // namespace

bool is_hybrid_recipient(std::string_view text) { return text.starts_with("age1pq1"); }

Result<RecipientPtr> parse_hybrid_recipient(std::string_view text) {
  TRY_LET(const Bech32 decoded, bech32_decode(text));
  if (decoded.prefix != kRecipientPrefix || decoded.upper_case || decoded.data.size() != kPublic)
    return fail(Errc::invalid_data, "no post-quantum recipient");
  TRY(ml_kem::check_encapsulation_key(decoded.data.bytes().first(ml_kem::kEncapsulationKey)));
  return RecipientPtr(std::make_shared<HybridRecipient>(std::string(text), decoded.data.bytes()));
}

Result<IdentityPtr> parse_hybrid_identity(std::string_view text) {
  TRY_LET(const Bech32 decoded, bech32_decode(text));
  if (decoded.prefix != kIdentityPrefix || !decoded.upper_case)
    return fail(Errc::invalid_data, "no post-quantum identity");
  return identity_of(decoded.data.bytes());
}

KeyPair generate_hybrid_key_pair(Randomness& randomness) {
  const Secret seed = randomness.secret(kSeed);
  return {.identity = bech32_encode_secret(kIdentityPrefix, seed.bytes()),
          .recipient = (*identity_of(seed.bytes()))->recipient()};
}

}  // namespace vmcred::age
