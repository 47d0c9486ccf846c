#include "sops/tree.h"

#include <fmt/format.h>

#include <map>

#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"
#include "sops/yaml_scalar.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT

std::string vector_file(const std::string& name) {
  return *read_file(fmt::format("{}/tests/vectors/sops/{}", testing::source_folder(), name), 100'000);
}

Result<std::vector<Leaf>> read_vector(const std::string& name) {
  const age::IdentityPtr key = identity();
  return decrypt_tree(vector_file(name), kind_of(name), {&key, 1});
}

/// "path" -> "value", with a '*' in front where it was encrypted.
std::map<std::string, std::string> values(const std::string& name) {
  std::map<std::string, std::string> all;
  const auto leaves = read_vector(name);
  EXPECT_THAT(leaves, Succeeds()) << name;
  if (!leaves) return all;
  for (const Leaf& leaf : *leaves) {
    all[fmt::format("{}", fmt::join(leaf.path, "/"))] = (leaf.encrypted ? "*" : "") + std::string(leaf.value.text());
  }
  return all;
}

using Values = std::map<std::string, std::string>;

TEST(Tree, ReadsYamlOfEveryType) {
  EXPECT_EQ(values("types.yaml"), (Values{{"text", "*hunter2"},
                                          {"quoted key", "*with: colon"},
                                          {"number", "*42"},
                                          {"hex", "*31"},
                                          {"octal", "*511"},
                                          {"separated", "*1000"},
                                          {"float", "*3.25"},
                                          {"large", "*100000000000000000000000"},
                                          {"small", "*0.0000000015"},
                                          {"flag", "*true"},
                                          {"no_flag", "*true"},
                                          {"off", "*off"},
                                          {"empty", "*"},
                                          {"day", "*2024-01-01T00:00:00Z"},
                                          {"moment", "*2024-01-02T03:04:05.67+01:00"},
                                          {"block", "*line one\nline two\n"},
                                          {"list/0", "*x"},
                                          {"list/1", "*7"},
                                          {"list/2/nested", "*deep"},
                                          {"list/2/flag", "*false"},
                                          {"map/inner/password", "*öäü"},
                                          {"map/clear_unencrypted", "12"},
                                          {"map/clear_map_unencrypted/a", "15"},
                                          {"map/clear_map_unencrypted/b/0", "yes"},
                                          {"map/clear_map_unencrypted/b/1", "2001-02-03T00:00:00Z"},
                                          {"map/clear_map_unencrypted/b/2", "16"},
                                          {"map/clear_map_unencrypted/b/3", "1.5"},
                                          {"map/clear_map_unencrypted/b/4", "0.5"},
                                          {"map/clear_map_unencrypted/b/6", "10"},
                                          {"map/clear_map_unencrypted/b/7", "08"},
                                          {"map/clear_map_unencrypted/b/8", "8"},
                                          {"map/clear_map_unencrypted/b/9", "0"},
                                          {"map/clear_map_unencrypted/b/10", "12"},
                                          {"map/clear_map_unencrypted/b/11", "10.5"},
                                          {"map/clear_map_unencrypted/c", "-Inf"}}));
  EXPECT_EQ(values("multi.yaml"), (Values{{"first", "*1"}, {"second", "*two"}}));
}

TEST(Tree, ReadsJsonAndDotenv) {
  EXPECT_EQ(values("types.json"), (Values{{"text", "*hunter2"},
                                          {"number", "*42"},
                                          {"float", "*3.25"},
                                          {"large", "*100000000000000000000000"},
                                          {"flag", "*true"},
                                          {"empty", "*"},
                                          {"list/0", "*x"},
                                          {"list/1", "*7"},
                                          {"list/2/nested", "*deep"},
                                          {"list/3/0", "*y"},
                                          {"map/inner/password", "*öäü<>&"},
                                          {"clear_unencrypted/n", "1"},
                                          {"clear_unencrypted/big", "9007199254740991"},
                                          {"clear_unencrypted/tiny", "0.0000001"},
                                          {"clear_unencrypted/s", "x"},
                                          {"clear_unencrypted/f", "false"}}));
  EXPECT_EQ(values("types.env"), (Values{{"DB_PASSWORD", "*hunter2"},
                                         {"MULTI", "*line one\nline two"},
                                         {"EMPTY", "*"},
                                         {"SPACED ", "* x y "},
                                         {"CLEAR_unencrypted", "shown"}}));
}

TEST(Tree, FollowsTheSelectionRules) {
  const Values data = {{"apiVersion", "v1"},          {"metadata/name", "x"}, {"metadata/n", "7"},
                       {"data/password", "*hunter2"}, {"data/n", "*5"},       {"other", "z"}};
  EXPECT_EQ(values("encrypted_regex.yaml"), data);
  EXPECT_EQ(values("mac_only_encrypted.yaml"), data);
  EXPECT_EQ(values("unencrypted_regex.yaml"), (Values{{"apiVersion", "*v1"},
                                                      {"metadata/name", "x"},
                                                      {"metadata/n", "*7"},
                                                      {"data/password", "*hunter2"},
                                                      {"data/n", "*5"},
                                                      {"other", "z"}}));
  EXPECT_EQ(values("encrypted_suffix.yaml"), (Values{{"apiVersion", "v1"},
                                                     {"metadata/name", "x"},
                                                     {"metadata/n", "7"},
                                                     {"data/password", "*hunter2"},
                                                     {"data/n", "5"},
                                                     {"other", "z"}}));
}

TEST(Tree, RefusesWhatItDoesNotReadAndSaysWhatToDo) {
  for (const auto& [name, words] :
       std::vector<std::pair<std::string, std::string>>{{"refused.ini", "INI files are not read"},
                                                        {"shamir.yaml", "Shamir"},
                                                        {"comment_regex.yaml", "by comments"}}) {
    const auto result = read_vector(name);
    ASSERT_THAT(result, FailsWith(Errc::invalid_data, HasSubstr(words))) << name;
    EXPECT_FALSE(result.error().hint.empty()) << name;
  }
}

TEST(Tree, NoticesChangedMovedAndMissingValues) {
  const age::IdentityPtr key = identity();
  const auto changed = [&](const std::string& name, std::string_view from, std::string_view to) {
    std::string text = vector_file(name);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return decrypt_tree(text, kind_of(name), {&key, 1});
  };
  EXPECT_THAT(changed("types.yaml", "clear_unencrypted: 12", "clear_unencrypted: 13"),
              FailsWith(Errc::mismatch, HasSubstr("MAC is wrong")));
  EXPECT_THAT(changed("types.yaml", "\ntext:", "\ntest:"), FailsWith(Errc::mismatch, HasSubstr("value 'test'")));
  EXPECT_THAT(changed("types.yaml", "\ntext:", "\nempty_unencrypted: \"\"\ntext:"), Succeeds())
      << "what sops itself lets pass: an empty value";
  EXPECT_THAT(changed("types.yaml", "\nflag: ENC", "\nflag: true #"),
              FailsWith(Errc::invalid_data, HasSubstr("value 'flag'")));
  EXPECT_THAT(changed("types.yaml", "type:str]", "type:int]"),
              FailsWith(Errc::mismatch, HasSubstr("its text is no int")));
  EXPECT_THAT(changed("types.yaml", "    version: ", "    was: "),
              FailsWith(Errc::invalid_data, HasSubstr("'version'")));
  EXPECT_THAT(changed("types.json", "{", "\xef\xbb\xbf{"), FailsWith(Errc::invalid_data, HasSubstr("byte order mark")));
  EXPECT_THAT(changed("types.yaml", "\nflag:", "\ntext:"), FailsWith(Errc::invalid_data, HasSubstr("twice")));
  EXPECT_THAT(changed("types.env", "DB_PASSWORD=", "DB_PASSWORD=x"),
              FailsWith(Errc::invalid_data, HasSubstr("DB_PASSWORD")));
  EXPECT_THAT(changed("mac_only_encrypted.yaml", "name: x", "name: y"), Succeeds()) << "not covered there";
  EXPECT_THAT(changed("mac_only_encrypted.yaml", "mac_only_encrypted: true", "mac_only_encrypted: false"),
              FailsWith(Errc::mismatch, HasSubstr("MAC is wrong")));
}

TEST(Tree, RefusesYamlThatCouldFoolOrFlood) {
  const age::IdentityPtr key = identity();
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "[";
  for (const auto& [text, words] :
       std::vector<std::pair<std::string, std::string>>{{"a: &x [1]\nb: *x\n", "anchors"},
                                                        {"a: !!binary aGk=\n", "tag"},
                                                        {"? [a]\n: b\n", "a key is no text"},
                                                        {"- a\n", "no map"},
                                                        {"a: b: c\n", "line 1"},
                                                        {"a: " + deep, "nesting"},
                                                        {"a: 18446744073709551615\nsops: {}\n", "larger"},
                                                        {"a: b\n", "no 'sops' part"}}) {
    EXPECT_THAT(decrypt_tree(text, Kind::yaml, {&key, 1}), FailsWith(Errc::invalid_data, HasSubstr(words))) << text;
  }
}

TEST(Tree, RefusesMetadataThatNestsWithoutEndInEveryKind) {
  const age::IdentityPtr key = identity();
  std::string names = "sops_";
  std::string braces = "{\"sops\":";
  for (int i = 0; i < 100'000; ++i) {
    names += "a__map_";
    braces += "{\"a\":";
  }
  EXPECT_THAT(decrypt_tree(names + "a=x\n", Kind::dotenv, {&key, 1}),
              FailsWith(Errc::invalid_data, HasSubstr("nested deeper than 16")));
  EXPECT_THAT(decrypt_tree(braces, Kind::json, {&key, 1}), FailsWith(Errc::invalid_data, HasSubstr("nested deeper")));
  EXPECT_THAT(decrypt_tree(braces, Kind::yaml, {&key, 1}), FailsWith(Errc::invalid_data, HasSubstr("nesting")));
}

TEST(Scalar, MeansWhatItMeansToGo) {
  for (const auto& [text, expected] :
       std::map<std::string, std::string>{{"0777", "511"},
                                          {"0o17", "15"},
                                          {"-0x1F", "-31"},
                                          {"0b101", "5"},
                                          {"+1", "1"},
                                          {"1_000", "1000"},
                                          {"-9223372036854775808", "-9223372036854775808"},
                                          {"1e3", "1000"},
                                          {"1.", "1"},
                                          {"1e-7", "0.0000001"},
                                          {"99999999999999999999", "100000000000000000000"},
                                          {"2024-1-2", "2024-01-02T00:00:00Z"},
                                          {"2024-01-02t03:04:05+00:00", "2024-01-02T03:04:05Z"},
                                          {"2024-01-02 03:04:05.500", "2024-01-02T03:04:05.5Z"}}) {
    const auto scalar = resolve_plain_scalar(text);
    ASSERT_THAT(scalar, Succeeds());
    EXPECT_NE(scalar->type, Node::Type::text) << text;
    EXPECT_EQ(scalar->text, expected) << text;
  }
  for (const std::string text :
       {"yes", "0x", "1e", "2024-13-01", "2024-02-30", "1.2.3", "-", "+", ".", "--1", "0o8", "12a", "_1"}) {
    const auto scalar = resolve_plain_scalar(text);
    ASSERT_THAT(scalar, Succeeds());
    EXPECT_EQ(scalar->type, Node::Type::text) << text;
  }
}

}  // namespace
}  // namespace vmcred::sops
