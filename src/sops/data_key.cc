#include "sops/data_key.h"

#include <algorithm>

#include "age/age.h"
#include "sops/enc.h"

namespace vmcred::sops {
namespace {

Result<Secret> unwrap_entry(const AgeEntry& entry, std::span<const age::IdentityPtr> identities) {
  TRY_LET(Secret key, in(fmt::format("entry of '{}'", entry.recipient), age::decrypt(identities, entry.enc)));
  if (key.size() != kDataKey) {
    return fail(Errc::invalid_data, "entry of '{}': the data key has {} bytes, not {}", entry.recipient, key.size(),
                kDataKey);
  }
  return key;
}

}  // namespace

Result<std::vector<AgeEntry>> wrap_data_key(Bytes data_key, std::span<const age::RecipientPtr> recipients,
                                            Randomness& randomness) {
  std::vector<age::RecipientPtr> sorted(recipients.begin(), recipients.end());
  std::ranges::sort(sorted, {}, [](const age::RecipientPtr& one) -> const std::string& { return one->text(); });
  const auto twice = std::ranges::unique(sorted, {}, [](const auto& one) -> const std::string& { return one->text(); });
  sorted.erase(twice.begin(), twice.end());
  if (sorted.empty()) return fail(Errc::usage, "no recipient to encrypt to");
  if (sorted.size() > kMaxRecipients) {
    return fail(Errc::usage, "{} recipients are more than {}", sorted.size(), kMaxRecipients);
  }
  std::vector<AgeEntry> entries;
  entries.reserve(sorted.size());
  for (const age::RecipientPtr& one : sorted) {
    TRY_LET(std::string enc,
            in(fmt::format("recipient '{}'", one->text()), age::encrypt_armored({&one, 1}, data_key, randomness)));
    entries.push_back({.recipient = one->text(), .enc = std::move(enc)});
  }
  return entries;
}

Result<Secret> unwrap_data_key(const File& file, std::span<const age::IdentityPtr> identities) {
  if (file.age.empty()) {
    return hint(fail(Errc::denied, "it is encrypted for {} alone, not for any age key",
                     pgp_fingerprints(file).empty() ? "keys of other kinds" : "PGP keys"),
                "add an age recipient with sops");
  }
  std::optional<Error> first;
  for (const AgeEntry& entry : file.age) {
    for (const age::IdentityPtr& identity : identities) {
      if (!identity->reads(entry.recipient)) continue;
      Result<Secret> key = unwrap_entry(entry, {&identity, 1});
      if (key) return key;
      if (!first) first = key.error();
    }
  }
  for (const AgeEntry& entry : file.age) {
    Result<Secret> key = unwrap_entry(entry, identities);
    if (key) return key;
    if (key.error().code != Errc::denied && !first) first = key.error();
  }
  if (first) return Failure(*first);
  return hint(fail(Errc::denied, "none of our {} identities is among its {} age recipients", identities.size(),
                   file.age.size()),
              "ask somebody who can read it to add your public key");
}

}  // namespace vmcred::sops
