// The schema says what the reader knows: the same keys and the same choices, table by table.
#include "declare/schema.h"

#include <set>

#include "base/json.h"
#include "declare/keys.h"
#include "declare/words.h"
#include "matchers.h"

namespace vmcred::declare {
namespace {

const Json& schema() {
  static const Json json = *parse_json(json_schema());
  return json;
}

const Json* at(const Json* json, std::initializer_list<std::string_view> path) {
  for (const std::string_view step : path) json = json == nullptr ? nullptr : json->find(step);
  return json;
}

std::set<std::string_view> keys_of(const Json* object) {
  std::set<std::string_view> keys;
  if (object != nullptr && object->if_object() != nullptr)
    for (const auto& [key, value] : *object->if_object()) keys.insert(key);
  return keys;
}

void expect_keys(const Json* table, std::span<const std::string_view> known, std::string_view what) {
  ASSERT_NE(table, nullptr) << what;
  EXPECT_EQ(keys_of(table->find("properties")), std::set<std::string_view>(known.begin(), known.end())) << what;
  const Json* more = table->find("additionalProperties");
  ASSERT_NE(more, nullptr) << what;
  EXPECT_TRUE(more->if_bool() != nullptr && !*more->if_bool()) << what << " must refuse unknown keys";
}

void expect_words(const Json* property, std::span<const std::string_view> known, std::string_view what) {
  const Json* words = at(property, {"enum"});
  ASSERT_NE(words, nullptr) << what;
  std::vector<std::string_view> given;
  for (const Json& word : *words->if_array()) given.push_back(*word.if_string());
  EXPECT_EQ(given, std::vector<std::string_view>(known.begin(), known.end())) << what;
}

TEST(Schema, HasTheKeysOfTheReader) {
  const Json* defs = schema().find("$defs");
  expect_keys(&schema(), kTopKeys, "top");
  expect_keys(at(&schema(), {"properties", "git"}), kGitKeys, "git");
  expect_keys(at(defs, {"machine"}), kMachineKeys, "machine");
  expect_keys(at(defs, {"generator"}), kGeneratorKeys, "generator");
  expect_keys(at(defs, {"file"}), kFileKeys, "file");
  expect_keys(at(defs, {"prompt"}), kPromptKeys, "prompt");
  expect_keys(at(defs, {"prompt", "properties", "display"}), kDisplayKeys, "display");
  expect_keys(at(defs, {"vm"}), kVmKeys, "vm");
  expect_keys(at(defs, {"vm", "properties", "qemu"}), kQemuKeys, "qemu");
  expect_keys(at(defs, {"vm", "properties", "guest"}), kGuestKeys, "guest");
  expect_keys(at(defs, {"disk"}), kDiskKeys, "disk");
  expect_keys(at(defs, {"network"}), kNetworkKeys, "network");
  expect_keys(at(defs, {"share"}), kShareKeys, "share");
  expect_keys(at(defs, {"credential"}), kCredentialKeys, "credential");
  expect_keys(at(defs, {"service"}), kServiceKeys, "service");
}

TEST(Schema, HasTheWordsOfTheReader) {
  const Json* vm = at(&schema(), {"$defs", "vm", "properties"});
  expect_words(at(vm, {"hypervisor"}), words<Hypervisor>(), "hypervisor");
  expect_words(at(vm, {"delivery"}), words<Delivery>(), "delivery");
  expect_words(at(vm, {"receipt"}), words<ReceiptMode>(), "receipt");
  expect_words(at(vm, {"accel"}), words<Accel>(), "accel");
  expect_words(at(vm, {"architecture"}), kArchitectures, "architecture");
  expect_words(at(vm, {"qemu", "properties", "machine"}), kQemuMachines, "qemu.machine");
  const Json* defs = schema().find("$defs");
  expect_words(at(defs, {"generator", "properties", "on-stale"}), words<OnStale>(), "on-stale");
  expect_words(at(defs, {"prompt", "properties", "type"}), words<PromptType>(), "type");
  expect_words(at(defs, {"file", "properties", "needed-for"}), kNeededFor, "needed-for");
  expect_words(at(defs, {"disk", "properties", "format"}), kDiskFormats, "format");
  expect_words(at(defs, {"network", "properties", "type"}), kNetworkTypes, "type");
}

}  // namespace
}  // namespace vmcred::declare
