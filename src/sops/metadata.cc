#include "sops/metadata.h"

#include <algorithm>
#include <array>

#include "sops/enc.h"

namespace vmcred::sops {
namespace {

constexpr std::array<std::string_view, 6> kForeign = {"pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms"};

/// Absent, null and [] mean the same to sops.
bool has_elements(const Json& value) {
  const Json::Array* const list = value.if_array();
  return list != nullptr ? !list->empty() : !value.is_null();
}

Result<std::string> take_string(Json::Object& object, std::string_view key) {
  const auto at = std::ranges::find(object, key, &Json::Member::first);
  if (at == object.end() || at->second.if_string() == nullptr || at->second.if_string()->empty()) {
    return fail(Errc::invalid_data, "the text '{}' is missing", key);
  }
  std::string text = *at->second.if_string();
  object.erase(at);
  return text;
}

Result<std::vector<AgeEntry>> read_entries(const Json& list) {
  std::vector<AgeEntry> entries;
  if (list.is_null()) return entries;
  if (list.if_array() == nullptr) return fail(Errc::invalid_data, "'age' is no list");
  if (list.if_array()->size() > kMaxRecipients) {
    return fail(Errc::invalid_data, "{} recipients are more than {}", list.if_array()->size(), kMaxRecipients);
  }
  for (const Json& one : *list.if_array()) {
    AgeEntry entry = {.recipient = one.string_at("recipient"), .enc = one.string_at("enc")};
    if (entry.recipient.empty() || entry.enc.empty()) {
      return fail(Errc::invalid_data, "an entry of 'age' lacks its recipient or its data key");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

bool digits_at(std::string_view text, std::initializer_list<std::size_t> places) {
  return std::ranges::all_of(places, [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; });
}

/// RFC 3339 in whole seconds. sops formats the time again before it becomes associated data: then an offset of zero is
/// 'Z'.
Result<std::string> associated_time(std::string_view text) {
  const bool base = text.size() >= 20 && digits_at(text, {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18}) &&
                    text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':';
  if (base && text.substr(19) == "Z") return std::string(text);
  if (base && text.size() == 25 && (text[19] == '+' || text[19] == '-') && text[22] == ':' &&
      digits_at(text, {20, 21, 23, 24})) {
    return text.substr(20) == "00:00" ? std::string(text.substr(0, 19)) + "Z" : std::string(text);
  }
  return fail(Errc::invalid_data, "'lastmodified' is no time of the form 2026-01-02T03:04:05Z");
}

/// "3.11.0", as sops' semver reader takes it: three numbers without leading zeros, then perhaps "-…" or "+…". Files of
/// sops 1 say less.
bool is_version(std::string_view text) {
  if (text.starts_with("1.")) return true;
  if (text.starts_with('v')) text.remove_prefix(1);
  for (int number = 0; number < 3; ++number) {
    if (number > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    if (end == 0 || end > 19 || (end > 1 && text.front() == '0')) return false;
    text.remove_prefix(end);
  }
  return text.empty() || ((text.front() == '-' || text.front() == '+') && text.size() > 1);
}

Result<> check_version(const Json::Object& metadata) {
  const auto at = std::ranges::find(metadata, std::string_view("version"), &Json::Member::first);
  const std::string* const text = at == metadata.end() ? nullptr : at->second.if_string();
  if (text == nullptr || text->empty()) return fail(Errc::invalid_data, "the text 'version' is missing");
  if (!is_version(*text)) return fail(Errc::invalid_data, "'version' is no version of sops");
  return {};
}

}  // namespace

Result<> check_start(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) return fail(Errc::invalid_data, "it begins with a byte order mark");
  return {};
}

bool is_set(const Json::Object& metadata, std::string_view name) {
  const auto at = std::ranges::find(metadata, name, &Json::Member::first);
  if (at == metadata.end()) return false;
  const bool* const flag = at->second.if_bool();
  const std::string* const text = at->second.if_string();
  return (flag != nullptr && *flag) || (text != nullptr && (*text == "true" || *text == "True" || *text == "1"));
}

Result<> read_metadata(Json metadata, File& file) {
  Json::Object* const object = metadata.if_object();
  if (object == nullptr) return fail(Errc::invalid_data, "'sops' is no object");
  if (const Json* const groups = metadata.find("key_groups"); groups != nullptr && has_elements(*groups)) {
    return hint(
        fail(Errc::invalid_data, "its data key is shared among key groups (Shamir), which vmcred does not read"),
        "re-encrypt it with one flat list of recipients");
  }
  const auto age = std::ranges::find(*object, std::string_view("age"), &Json::Member::first);
  if (age != object->end()) {
    TRY_LET(file.age, read_entries(age->second));
    object->erase(age);
  }
  TRY_LET(file.lastmodified, take_string(*object, "lastmodified"));
  TRY(associated_time(file.lastmodified));
  TRY_LET(file.mac, take_string(*object, "mac"));
  TRY(check_version(*object));
  file.other = std::move(*object);
  return {};
}

Json write_metadata(const File& file) {
  Json::Array age;
  age.reserve(file.age.size());
  for (const AgeEntry& entry : file.age) {
    Json one;
    one.set("enc", Json(entry.enc));
    one.set("recipient", Json(entry.recipient));
    age.push_back(std::move(one));
  }
  Json::Object members = file.other;
  members.emplace_back("age", Json(std::move(age)));
  members.emplace_back("lastmodified", Json(file.lastmodified));
  members.emplace_back("mac", Json(file.mac));
  std::ranges::sort(members, {}, &Json::Member::first);
  return Json(std::move(members));
}

bool has_foreign_entries(const File& file) {
  return std::ranges::any_of(file.other, [](const Json::Member& member) {
    return std::ranges::find(kForeign, member.first) != kForeign.end() && has_elements(member.second);
  });
}

std::vector<std::string> pgp_fingerprints(const File& file) {
  std::vector<std::string> fingerprints;
  const auto pgp = std::ranges::find(file.other, std::string_view("pgp"), &Json::Member::first);
  if (pgp == file.other.end() || pgp->second.if_array() == nullptr) return fingerprints;
  for (const Json& entry : *pgp->second.if_array()) fingerprints.push_back(entry.string_at("fp"));
  return fingerprints;
}

Secret mac_text(const std::array<std::uint8_t, 64>& digest) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  Secret text(digest.size() * 2);
  for (std::size_t i = 0; i < digest.size(); ++i) {
    text.writable()[2 * i] = static_cast<std::uint8_t>(kDigits[digest.at(i) >> 4U]);
    text.writable()[2 * i + 1] = static_cast<std::uint8_t>(kDigits[digest.at(i) & 15U]);
  }
  return text;
}

Result<> check_mac(std::string_view mac, std::string_view lastmodified, Bytes data_key, Bytes computed) {
  TRY_LET(const std::string time, associated_time(lastmodified));
  TRY_LET(const Opened stored, in("MAC", open(data_key, time, mac)));
  if (stored.type == "str" && equal_in_constant_time(stored.plaintext.bytes(), computed)) return {};
  return fail(Errc::mismatch, "it was changed since it was written: its MAC is wrong");
}

}  // namespace vmcred::sops
