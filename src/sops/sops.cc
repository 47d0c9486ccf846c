#include "sops/sops.h"

#include <algorithm>
#include <array>

#include "base/crypto.h"
#include "base/sha256.h"
#include "sops/data_key.h"
#include "sops/enc.h"
#include "sops/metadata.h"
#include "sops/selection.h"

namespace vmcred::sops {
namespace {

constexpr std::string_view kPlace = "data:";  // the path of the one value, as associated data

Result<Secret> open_value(const File& file, Bytes data_key) {
  Opened opened;
  if (!file.data.empty()) {
    TRY_LET(opened, in("value", open(data_key, kPlace, file.data)));
    if (opened.type != "str") {
      return fail(Errc::invalid_data, "a value of type '{}' has no place in a binary sops file", opened.type);
    }
  }
  const bool only_encrypted = is_set(file.other, "mac_only_encrypted");  // so that the two kinds of MAC never agree
  const Digest marked = sha256(bytes_of("sops"));
  const auto digest = only_encrypted ? sha512({marked, opened.plaintext.bytes()}) : sha512({opened.plaintext.bytes()});
  TRY(check_mac(file.mac, file.lastmodified, data_key, mac_text(digest).bytes()));
  return std::move(opened.plaintext);
}

}  // namespace

Result<File> parse(std::string_view text) {
  TRY(in("sops file", check_start(text)));
  TRY_LET(Json json, in("sops file", parse_json(text, {.max_bytes = kMaxFile, .max_depth = 64})));
  Json::Object* const top = json.if_object();
  if (top == nullptr) return fail(Errc::invalid_data, "sops file: it is no JSON object");
  File file;
  bool has_data = false;
  bool has_metadata = false;
  for (auto& [key, value] : *top) {
    if (key == "data" && value.if_string() != nullptr) {
      file.data = *value.if_string();
      has_data = true;
    } else if (key == "sops") {
      TRY(in("sops file", read_metadata(std::move(value), file)));
      has_metadata = true;
    } else if (key != "data") {
      return fail(Errc::invalid_data, "sops file: the key '{}' has no place beside 'data' and 'sops'", key);
    }
  }
  if (!has_metadata) {
    return hint(fail(Errc::invalid_data, "sops file: there is no 'sops' part"), "is it a sops file at all?");
  }
  if (!has_data) return fail(Errc::invalid_data, "sops file: there is no 'data' text, so it is not of the binary kind");
  TRY_LET(const Selection selection, in("sops file", Selection::from(file.other)));
  if (selection.matches("data") != selection.encrypts_matches())
    return fail(Errc::invalid_data, "sops file: by its rule for what is encrypted 'data' stands in the clear");
  return file;
}

std::string print(const File& file) {
  Json json;
  json.set("data", Json(file.data));
  json.set("sops", write_metadata(file));
  return dump_json(json, Indent::tab);
}

std::vector<std::string> recipients(const File& file) {
  std::vector<std::string> texts;
  texts.reserve(file.age.size());
  for (const AgeEntry& entry : file.age) texts.push_back(entry.recipient);
  return texts;
}

Result<File> encrypt(Bytes value, std::span<const age::RecipientPtr> recipients, const Doors& doors) {
  File file;
  const Secret data_key = doors.randomness.secret(kDataKey);
  TRY_LET(file.age, wrap_data_key(data_key.bytes(), recipients, doors.randomness));
  // An empty value stays "" as sops leaves it; the MAC covers it all the same.
  if (!value.empty()) file.data = seal(data_key.bytes(), kPlace, value, "str", doors.randomness);
  file.lastmodified = rfc3339(doors.clock.now());
  file.mac = seal(data_key.bytes(), file.lastmodified, mac_text(sha512({value})).bytes(), "str", doors.randomness);
  file.other.emplace_back("version", Json(kVersion));
  return file;
}

Result<Secret> decrypt(const File& file, std::span<const age::IdentityPtr> identities) {
  TRY_LET(const Secret data_key, unwrap_data_key(file, identities));
  return open_value(file, data_key.bytes());
}

std::vector<Result<Secret>> decrypt_all(std::span<const File* const> files,
                                        std::span<const age::IdentityPtr> identities) {
  std::vector<Result<Secret>> results = unwrap_data_keys(files, identities);
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (results[i]) results[i] = open_value(*files[i], results[i]->bytes());
  }
  return results;
}

Result<File> rewrap(const File& file, std::span<const age::RecipientPtr> wanted,
                    std::span<const age::IdentityPtr> identities, const Doors& doors) {
  if (wanted.empty()) return fail(Errc::usage, "a secret needs a recipient");
  const auto is_wanted = [&](const AgeEntry& entry) {
    return std::ranges::any_of(wanted, [&](const auto& one) { return one->text() == entry.recipient; });
  };
  const bool removes = !std::ranges::all_of(file.age, is_wanted);
  if (removes && has_foreign_entries(file)) {
    return hint(fail(Errc::usage, "removing a recipient needs a new data key, which its PGP or cloud entries lack"),
                "run 'sops rotate' on it, or remove those entries with sops first");
  }
  age::Recipients added;
  std::ranges::copy_if(wanted, std::back_inserter(added), [&](const auto& one) {
    return std::ranges::none_of(file.age, [&](const AgeEntry& entry) { return entry.recipient == one->text(); });
  });
  if (!removes && added.empty()) return file;
  TRY_LET(const Secret data_key, unwrap_data_key(file, identities));
  TRY_LET(const Secret value, open_value(file, data_key.bytes()));  // never pass on what somebody changed
  if (removes) return encrypt(value.bytes(), wanted, doors);
  File result = file;
  TRY_LET(std::vector<AgeEntry> entries, wrap_data_key(data_key.bytes(), added, doors.randomness));
  std::ranges::move(entries, std::back_inserter(result.age));
  if (result.age.size() > kMaxRecipients) {
    return fail(Errc::usage, "{} recipients are more than {}", result.age.size(), kMaxRecipients);
  }
  std::ranges::sort(result.age, {}, &AgeEntry::recipient);
  return result;
}

}  // namespace vmcred::sops
