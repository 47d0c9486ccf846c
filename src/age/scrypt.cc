#include "age/scrypt.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "age/x25519.h"
#include "base/base64.h"
#include "base/crypto.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kType = "scrypt";
constexpr std::string_view kLabel = "age-encryption.org/v1/scrypt";
constexpr std::size_t kSalt = 16;

Result<Secret> wrap_key(const Secret& passphrase, std::string_view salt, unsigned log_n) {
  return scrypt(passphrase.bytes(), bytes_of(std::string(kLabel).append(salt)), log_n);
}

/// ^[1-9][0-9]*$
Result<unsigned> parse_log_n(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '0' || text.front() == '+' || error != std::errc() ||
      end != text.data() + text.size()) {
    return fail(Errc::invalid_data, "a scrypt stanza has a malformed work factor");
  }
  return value;
}

class PassphraseRecipient final : public Recipient {
 public:
  PassphraseRecipient(Secret passphrase, unsigned log_n)
      : Recipient("a passphrase"), passphrase_(std::move(passphrase)), log_n_(log_n) {}

  [[nodiscard]] Result<Wrapped> wrap(Bytes file_key, Randomness& randomness) const override {
    std::string salt(kSalt, '\0');
    randomness.fill({reinterpret_cast<std::uint8_t*>(salt.data()), salt.size()});  // NOLINT
    TRY_LET(const Secret key, wrap_key(passphrase_, salt, log_n_));
    Wrapped wrapped;
    wrapped.stanzas.push_back(
        {.type = std::string(kType),
         .arguments = {base64_encode(bytes_of(salt), Padding::without), fmt::format("{}", log_n_)},
         .body = seal_file_key(key.bytes(), file_key)});
    std::array<std::uint8_t, 16> label = {};  // no other recipient can have it, so nobody can stand beside us
    random_bytes(label);
    wrapped.labels.push_back(base64_encode(label));
    return wrapped;
  }

 private:
  Secret passphrase_;
  unsigned log_n_;
};

class PassphraseIdentity final : public Identity {
 public:
  PassphraseIdentity(Secret passphrase, unsigned max_log_n)
      : passphrase_(std::move(passphrase)), max_log_n_(max_log_n) {}

  [[nodiscard]] Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const override {
    for (const Stanza& stanza : stanzas) {
      if (stanza.type != kType) continue;
      if (stanza.arguments.size() != 2) return fail(Errc::invalid_data, "a scrypt stanza has not two arguments");
      TRY_LET(const std::string salt,
              in("salt of a scrypt stanza", base64_decode(stanza.arguments[0], Padding::without)));
      if (salt.size() != kSalt) return fail(Errc::invalid_data, "a scrypt salt has a wrong size");
      TRY_LET(const unsigned log_n, parse_log_n(stanza.arguments[1]));
      if (log_n > max_log_n_) {
        return fail(Errc::invalid_data, "the file asks for a scrypt work factor of {}, more than {}", log_n,
                    max_log_n_);
      }
      if (stanza.body.size() != kSealedFileKey) return fail(Errc::invalid_data, "a scrypt body has a wrong size");
      TRY_LET(const Secret key, wrap_key(passphrase_, salt, log_n));
      Result<Secret> file_key = open_file_key(key.bytes(), stanza.body);
      if (file_key) return std::optional<Secret>(*std::move(file_key));
    }
    return std::optional<Secret>();
  }
  [[nodiscard]] bool reads(std::string_view /*recipient*/) const override { return false; }
  [[nodiscard]] std::string recipient() const override { return ""; }

 private:
  Secret passphrase_;
  unsigned max_log_n_;
};

}  // namespace

Result<RecipientPtr> passphrase_recipient(Secret passphrase, unsigned log_n) {
  if (passphrase.empty()) return fail(Errc::usage, "the passphrase is empty");
  if (log_n < 1 || log_n > kLargestLogN) return fail(Errc::usage, "a scrypt work factor of {}", log_n);
  return RecipientPtr(std::make_shared<PassphraseRecipient>(std::move(passphrase), log_n));
}

Result<IdentityPtr> passphrase_identity(Secret passphrase, unsigned max_log_n) {
  if (passphrase.empty()) return fail(Errc::usage, "the passphrase is empty");
  return IdentityPtr(std::make_shared<PassphraseIdentity>(std::move(passphrase), std::min(max_log_n, kLargestLogN)));
}

}  // namespace vmcred::age
