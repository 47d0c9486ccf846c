#include "sops/data_key.h"

#include <algorithm>

#include "age/age.h"
#include "sops/enc.h"

namespace vmcred::sops {
namespace {

/// "age1a… and age1b…", at most some.
std::string readers_of(const File& file) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, file.age.size()); ++i)
    text += (i == 0 ? "" : ", ") + file.age[i].recipient;
  return file.age.size() > kShown ? fmt::format("{} and {} more", text, file.age.size() - kShown) : text;
}

/// Files whose data key is still wanted, and what was found so far.
class Search {
 public:
  explicit Search(std::span<const File* const> files) : files_(files) {
    for (const File* const file : files) results_.push_back(start(*file));
  }

  /// Offers one identity the entries of all open files, or only those that belong to it.
  void offer(const age::IdentityPtr& identity, bool only_its_own) {
    std::vector<std::pair<std::size_t, const AgeEntry*>> places;
    std::vector<std::string_view> encs;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (results_[i]) continue;
      for (const AgeEntry& entry : files_[i]->age) {
        if (only_its_own && !identity->reads(entry.recipient)) continue;
        places.emplace_back(i, &entry);
        encs.emplace_back(entry.enc);
      }
    }
    auto keys = age::decrypt_all({&identity, 1}, encs);
    for (std::size_t k = 0; k < keys.size(); ++k)
      take(results_[places[k].first], *places[k].second, std::move(keys[k]));
  }

  [[nodiscard]] std::vector<Result<Secret>> take_results(std::size_t identities) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (results_[i] || results_[i].error().code != Errc::denied || files_[i]->age.empty()) continue;
      const std::size_t readers = files_[i]->age.size();
      results_[i] = identities == 0
                        ? hint(fail(Errc::denied, "there is no private key to open it with"),
                               "no private key was found: put yours into ~/.config/sops/age/keys.txt or name its file "
                               "in SOPS_AGE_KEY_FILE")
                        : hint(fail(Errc::denied, "none of our {} identities is among its {} age recipients",
                                    identities, readers),
                               fmt::format("one of its readers can add your public key: {}", readers_of(*files_[i])));
    }
    return std::move(results_);
  }
  [[nodiscard]] bool done() const {
    return std::ranges::all_of(results_, [](const auto& result) { return result.has_value(); });
  }

 private:
  static Result<Secret> start(const File& file) {
    if (!file.age.empty()) return fail(Errc::denied, "not opened yet");
    return hint(fail(Errc::denied, "it is encrypted for {} alone, not for any age key",
                     pgp_fingerprints(file).empty() ? "keys of other kinds" : "PGP keys"),
                "add an age recipient with sops");
  }

  /// A key wins; of the failures the first counts that says more than "not for you".
  static void take(Result<Secret>& result, const AgeEntry& entry, Result<Secret> key) {
    if (result) return;
    if (key && key->size() != kDataKey) {
      key = fail(Errc::invalid_data, "the data key has {} bytes, not {}", key->size(), kDataKey);
    }
    if (key) {
      result = std::move(key);
    } else if (result.error().code == Errc::denied && key.error().code != Errc::denied) {
      result = in(fmt::format("entry of '{}'", entry.recipient), std::move(key));
    }
  }

  std::span<const File* const> files_;
  std::vector<Result<Secret>> results_;
};

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
  const File* const one = &file;
  return std::move(unwrap_data_keys({&one, 1}, identities).front());
}

std::vector<Result<Secret>> unwrap_data_keys(std::span<const File* const> files,
                                             std::span<const age::IdentityPtr> identities) {
  Search search(files);
  for (const bool only_its_own : {true, false}) {
    for (const age::IdentityPtr& identity : identities) {
      if (!search.done()) search.offer(identity, only_its_own);
    }
  }
  return search.take_results(identities.size());
}

}  // namespace vmcred::sops
