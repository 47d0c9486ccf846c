#include "age/age.h"

#include <algorithm>

#include "age/armor.h"
#include "age/stream.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kPassphrase = "scrypt";

Result<> check_passphrase_alone(std::span<const Stanza> stanzas) {
  const auto is_passphrase = [](const Stanza& stanza) { return stanza.type == kPassphrase; };
  if (stanzas.size() > 1 && std::ranges::any_of(stanzas, is_passphrase)) {
    return fail(Errc::invalid_data, "a passphrase stanza stands beside others in the age header");
  }
  return {};
}

Failure no_match() {
  return hint(fail(Errc::denied, "no identity matches any of the recipients"),
              "use the private key of one of the recipients");
}

/// Offers every header to one identity after the other until all are open. What a plugin could not do (`unavailable`)
/// does not stop the next identity; a malformed stanza does.
std::vector<Result<Secret>> unwrap_file_keys(std::span<const IdentityPtr> identities,
                                             std::span<const std::span<const Stanza>> files) {
  std::vector<Result<Secret>> results;
  std::vector<std::size_t> open;  // still without a key
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto alone = check_passphrase_alone(files[i]);
    results.emplace_back(alone ? Result<Secret>(no_match()) : Failure(alone.error()));
    if (alone) open.push_back(i);
  }
  for (const IdentityPtr& identity : identities) {
    if (open.empty()) break;
    std::vector<std::span<const Stanza>> offered;
    for (const std::size_t i : open) offered.push_back(files[i]);
    auto answers = identity->unwrap_all(offered);
    std::vector<std::size_t> left;
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t i = open[k];
      if (answers[k] && *answers[k]) {
        results[i] = **std::move(answers[k]);
        continue;
      }
      if (!answers[k] && results[i].error().code == Errc::denied) results[i] = Failure(answers[k].error());
      if (answers[k] || answers[k].error().code == Errc::unavailable) left.push_back(i);
    }
    open = std::move(left);
  }
  return results;
}

/// A file taken apart; the parsed header borrows from `binary` or from the caller's text.
struct Opened {
  std::string binary;
  ParsedHeader parsed;
};
Result<> take_apart(std::string_view file, Opened& opened) {
  if (is_armored(file)) {
    TRY_LET(opened.binary, read_armor(file));
    file = opened.binary;
  }
  TRY_LET(opened.parsed, parse_header(file));
  return {};
}

Result<Secret> finish(const ParsedHeader& parsed, const Secret& file_key) {
  TRY(check_mac(parsed, file_key.bytes()));
  return open_payload(file_key.bytes(), parsed.payload);
}

}  // namespace

Result<Secret> unwrap_file_key(std::span<const IdentityPtr> identities, std::span<const Stanza> stanzas) {
  return std::move(unwrap_file_keys(identities, {&stanzas, 1}).front());
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
  Opened opened;
  TRY(take_apart(file, opened));
  TRY_LET(const Secret file_key, unwrap_file_key(identities, opened.parsed.header.stanzas));
  return finish(opened.parsed, file_key);
}

std::vector<Result<Secret>> decrypt_all(std::span<const IdentityPtr> identities,
                                        std::span<const std::string_view> files) {
  std::vector<Result<Secret>> results;
  std::vector<Opened> opened(files.size());  // never moved: the headers borrow from it
  std::vector<std::size_t> good;
  std::vector<std::span<const Stanza>> headers;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto parsed = take_apart(files[i], opened[i]);
    results.emplace_back(parsed ? Result<Secret>(Secret()) : Failure(parsed.error()));
    if (!parsed) continue;
    good.push_back(i);
    headers.emplace_back(opened[i].parsed.header.stanzas);
  }
  auto keys = unwrap_file_keys(identities, headers);
  for (std::size_t k = 0; k < good.size(); ++k) {
    results[good[k]] = keys[k] ? finish(opened[good[k]].parsed, *keys[k]) : Failure(keys[k].error());
  }
  return results;
}

}  // namespace vmcred::age
