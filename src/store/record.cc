#include "store/record.h"

#include <fcntl.h>

#include <algorithm>

#include "base/base64.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "sops/glance.h"
#include "sops/sops.h"

namespace vmcred::store {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxRecord = 1024 * 1024;

std::map<std::string, std::string> texts_in(const Json* object) {
  std::map<std::string, std::string> texts;
  if (object == nullptr || object->if_object() == nullptr) return texts;
  for (const auto& [name, value] : *object->if_object())
    if (const std::string* text = value.if_string()) texts.emplace(name, *text);
  return texts;
}

Json json_of(const std::map<std::string, std::string>& texts) {
  Json object = Json::object();
  for (const auto& [name, text] : texts) object.set(name, text);
  return object;
}

}  // namespace

Result<Record> parse_record(std::string_view text) {
  TRY_LET(const Json json, parse_json(text, {.max_bytes = kMaxRecord, .max_depth = 8}));
  const Json* version = json.find("version");
  if (version == nullptr || version->if_integer() == nullptr) return fail(Errc::invalid_data, "it has no version");
  if (*version->if_integer() != kVersion)
    return hint(fail(Errc::invalid_data, "its version {} is not known", *version->if_integer()),
                "a newer vmcred wrote it: use that one");
  Record record;
  record.script = json.string_at("script");
  record.generated = json.string_at("generated");
  if (const Json* inputs = json.find("runtime-inputs"); inputs != nullptr && inputs->if_array() != nullptr)
    for (const Json& input : *inputs->if_array())
      if (const std::string* name = input.if_string()) record.runtime_inputs.push_back(*name);
  for (const auto& [name, form] : texts_in(json.find("files")))
    record.files.emplace(name, form == "open" ? Form::open : Form::secret);
  record.dependencies = texts_in(json.find("dependencies"));
  record.set_by_hand = texts_in(json.find("set-by-hand"));
  record.renewed = texts_in(json.find("renewed"));
  return record;
}

std::string print_record(const Record& record) {
  Json json = Json::object();
  json.set("version", kVersion);
  json.set("generated", record.generated);
  json.set("script", record.script);
  json.set("runtime-inputs", Json::strings(record.runtime_inputs));
  Json files = Json::object();
  for (const auto& [name, form] : record.files) files.set(name, form == Form::open ? "open" : "secret");
  json.set("files", std::move(files));
  json.set("dependencies", json_of(record.dependencies));
  if (!record.set_by_hand.empty()) json.set("set-by-hand", json_of(record.set_by_hand));
  if (!record.renewed.empty()) json.set("renewed", json_of(record.renewed));
  return dump_json(json, Indent::two_spaces);
}

Result<SystemTime> born(const Record& record, const std::string& file) {
  TRY_LET(SystemTime last, parse_rfc3339(record.generated));
  for (const auto* times : {&record.set_by_hand, &record.renewed}) {
    const auto time = times->find(file);
    if (time == times->end()) continue;
    TRY_LET(const SystemTime then, parse_rfc3339(time->second));
    last = std::max(last, then);
  }
  return last;
}

Result<std::optional<Record>> read_record(const GeneratorFolder& folder) {
  const Result<std::string> text = folder.read(kRecordName, kMaxRecord);
  if (!text && text.error().code == Errc::not_found) return std::optional<Record>{};
  Result<Record> record = text ? in(fmt::format("read '{}/{}'", folder.path(), kRecordName), parse_record(*text))
                               : std::unexpected(text.error());
  if (record) return std::optional(*std::move(record));
  if (record.error().hint.empty())
    record.error().hint =
        "bring it back from git, or remove it: the values stay, and count as made from what is declared now";
  return std::unexpected(std::move(record).error());
}

Result<std::optional<Record>> read_record(const Repository& repository, const GeneratorId& id) {
  TRY_LET(const GeneratorFolder folder, GeneratorFolder::open(repository, id));
  return read_record(folder);
}

Result<std::string> value_digest(Form form, std::string_view stored) {
  if (form == Form::open) return hex_encode(sha256(bytes_of(stored)));
  if (const auto seen = sops::glance(stored)) return hex_encode(sha256(bytes_of(seen->data)));
  TRY_LET(const sops::File file, sops::parse(stored));
  return hex_encode(sha256(bytes_of(file.data)));
}

}  // namespace vmcred::store
