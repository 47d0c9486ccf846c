#include "store/former.h"

#include "base/json.h"
#include "store/record.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxFormer = 1024 * 1024;
constexpr int kVersion = 1;
constexpr std::size_t kDateSize = 10;  // of RFC 3339

Failure damaged(std::string_view why) { return fail(Errc::invalid_data, "{}", why); }

}  // namespace

Result<Former> parse_former(std::string_view text) {
  TRY_LET(const Json json, parse_json(text, {.max_bytes = kMaxFormer, .max_depth = 8}));
  const Json* const version = json.find("version");
  if (version == nullptr || version->if_integer() == nullptr || *version->if_integer() != kVersion)
    return hint(damaged("its version is not known"), "a newer vmcred wrote it: use that one");
  const Json* const files = json.find("files");
  if (files == nullptr || files->if_object() == nullptr) return damaged("it names no files");
  Former former;
  for (const auto& [file, entry] : *files->if_object()) {
    FormerReaders& readers = former[file];
    readers.digest = entry.string_at("value");
    const Json* const until = entry.find("until");
    if (readers.digest.empty() || until == nullptr || until->if_object() == nullptr)
      return damaged("an entry is not whole");
    for (const auto& [who, date] : *until->if_object()) {
      if (date.if_string() == nullptr) return damaged("a date is none");
      readers.until.emplace(who, *date.if_string());
    }
  }
  return former;
}

std::string print_former(const Former& former) {
  Json files = Json::object();
  for (const auto& [file, readers] : former) {
    Json until = Json::object();
    for (const auto& [who, date] : readers.until) until.set(who, date);
    files.set(file, Json::object().set("value", readers.digest).set("until", std::move(until)));
  }
  return dump_json(Json::object().set("version", kVersion).set("files", std::move(files)), Indent::two_spaces);
}

Result<Former> read_former(const GeneratorFolder& folder) {
  const Result<std::string> text = folder.read(kFormerName, kMaxFormer);
  if (!text && text.error().code == Errc::not_found) return Former{};
  Result<Former> former = text ? in(fmt::format("read '{}/{}'", folder.path(), kFormerName), parse_former(*text))
                               : std::unexpected(text.error());
  if (!former && former.error().hint.empty()) former.error().hint = "bring it back from git";
  return former;
}

Result<std::map<std::string, std::string>> former_readers(const GeneratorFolder& folder, const std::string& file) {
  TRY_LET(const Former former, read_former(folder));
  const auto found = former.find(file);
  if (found == former.end()) return std::map<std::string, std::string>{};
  TRY_LET(const std::string stored, read_plain_file(folder.fd(), file + "/secret", kMaxStoredBytes, folder.path()));
  TRY_LET(const std::string digest, value_digest(Form::secret, stored));
  return digest == found->second.digest ? found->second.until : std::map<std::string, std::string>{};
}

std::string former_text(const std::map<std::string, std::string>& until) {
  std::string text;
  constexpr std::string_view kUser = "user ";
  for (const auto& [who, date] : until)
    text += fmt::format("{}{} until {}", text.empty() ? "readable by " : ", ",
                        who.starts_with(kUser) ? who.substr(kUser.size()) : who, date);
  return text.empty() ? text : text + ": rotate";
}

void note_access(Former& former, const AccessChange& change) {
  FormerReaders readers;
  // An entry of another value says nothing of this one.
  if (const auto known = former.find(change.file);
      known != former.end() && known->second.digest == change.digest_before)
    readers = known->second;
  readers.digest = change.digest_after;
  for (const std::string& who : change.lost) readers.until[who] = rfc3339(change.now).substr(0, kDateSize);
  for (const std::string& who : change.regained) readers.until.erase(who);
  if (readers.until.empty()) {
    former.erase(change.file);
  } else {
    former[change.file] = std::move(readers);
  }
}

}  // namespace vmcred::store
