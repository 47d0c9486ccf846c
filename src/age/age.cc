#include "age/age.h"

#include "age/armor.h"
#include "age/stream.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kPassphrase = "scrypt";

}  // namespace

Result<Secret> unwrap_file_key(std::span<const IdentityPtr> identities, std::span<const Stanza> stanzas) {
  for (const Stanza& stanza : stanzas) {
    if (stanza.type == kPassphrase && stanzas.size() > 1) {
      return fail(Errc::invalid_data, "a passphrase stanza stands beside others in the age header");
    }
  }
  for (const IdentityPtr& identity : identities) {
    TRY_LET(std::optional<Secret> file_key, identity->unwrap(stanzas));
    if (file_key) return *std::move(file_key);
  }
  return hint(fail(Errc::denied, "no identity matches any of the recipients"),
              "use the private key of one of the recipients");
}

Result<std::string> encrypt(std::span<const RecipientPtr> recipients, Bytes plaintext, Randomness& randomness) {
  if (recipients.empty()) return fail(Errc::usage, "no recipient to encrypt to");
  const Secret file_key = randomness.secret(kFileKeySize);
  std::vector<Stanza> stanzas;
  std::optional<std::vector<std::string>> labels;
  for (const RecipientPtr& recipient : recipients) {
    TRY_LET(Wrapped wrapped, in("encrypt", recipient->wrap(file_key.bytes(), randomness)));
    if (!labels) labels = wrapped.labels;
    if (*labels != wrapped.labels) {
      return fail(Errc::usage,
                  "these recipients cannot share one file (a passphrase, or a post-quantum key, stands alone)");
    }
    for (Stanza& stanza : wrapped.stanzas) stanzas.push_back(std::move(stanza));
  }
  if (stanzas.size() > kMaxStanzas) return fail(Errc::usage, "more than {} recipients", kMaxStanzas);
  std::string file = write_header(stanzas, file_key.bytes());
  seal_payload(file, file_key.bytes(), plaintext, randomness);
  return file;
}

Result<std::string> encrypt_armored(std::span<const RecipientPtr> recipients, Bytes plaintext, Randomness& randomness) {
  TRY_LET(const std::string file, encrypt(recipients, plaintext, randomness));
  return write_armor(file);
}

Result<Secret> decrypt(std::span<const IdentityPtr> identities, std::string_view file) {
  std::string binary;
  if (is_armored(file)) {
    TRY_LET(binary, read_armor(file));
    file = binary;
  }
  TRY_LET(const ParsedHeader parsed, parse_header(file));
  TRY_LET(const Secret file_key, unwrap_file_key(identities, parsed.header.stanzas));
  TRY(check_mac(parsed, file_key.bytes()));
  return open_payload(file_key.bytes(), parsed.payload);
}

}  // namespace vmcred::age
