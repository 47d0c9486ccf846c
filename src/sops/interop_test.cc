// Both directions against the programs of the machine: `age` opens our data key; `sops` (on PATH, in $VMCRED_SOPS or
// where tools/sops built it) reads what we write and writes what we read.
#include <fmt/format.h>

#include <map>
#include <set>

#include "age/test_support.h"
#include "base/crypto.h"
#include "base/file.h"
#include "matchers.h"
#include "sops/sops.h"
#include "sops/tree.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT

std::string sops_program() {
  std::string found = program("sops", "VMCRED_SOPS");
  if (!found.empty()) return found;
  const auto built = run({.argv = {testing::source_folder() + "/tools/sops", "--find"}});
  if (built) found = built->out.substr(0, built->out.find('\n'));
  if (found.empty()) fmt::print("NOT RUN HERE: what compares with the real sops\n");
  return found;
}

Output run_program(std::vector<std::string> argv, std::string_view input = {}) {
  auto output =
      run({.argv = std::move(argv),
           .environment = {{"PATH=/usr/bin:/bin", fmt::format("SOPS_AGE_KEY={}", kIdentity), "HOME=/nonexistent"}}},
          {.input = input, .max_output = 16UL * 1024 * 1024});
  EXPECT_THAT(output, Succeeds());
  return output ? *std::move(output) : Output{};
}

std::vector<std::string> values() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return {"x", "hunter2", "line\nline\n", all, std::string(100'000, '\0')};
}

TEST(Interop, AgeOpensTheDataKeyOfOurFile) {
  const std::string age_program = program("age");
  ASSERT_NE(age_program, "") << kRunSetup;
  const TestFolder folder;
  const std::string key = folder.write("key.txt", fmt::format("{}\n", kIdentity));
  const age::RecipientPtr to = recipient();
  const File file = *encrypt(bytes_of("hunter2"), {&to, 1});
  const Output output = run_program({age_program, "-d", "-i", key}, file.age.at(0).enc);
  EXPECT_TRUE(output.status.ok()) << output.err;
  EXPECT_EQ(output.out.size(), 32U);
}

TEST(Interop, SopsReadsWhatWeWrite) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  const TestFolder folder;
  const age::Recipients to = {*age::parse_recipient(age::generate_key_pair().recipient), recipient()};
  std::vector<std::string> all = values();
  all.emplace_back();
  for (const std::string& value : all) {
    const std::string path = folder.write("secret", print(*encrypt(bytes_of(value), to)));
    const Output output = run_program({sops, "decrypt", "--input-type", "binary", "--output-type", "binary", path});
    EXPECT_TRUE(output.status.ok()) << output.err;
    EXPECT_EQ(output.out, value);
  }
}

TEST(Interop, SopsReadsWhatWeReWrapped) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  const TestFolder folder;
  const age::KeyPair pair = age::generate_key_pair();
  const age::RecipientPtr first = *age::parse_recipient(pair.recipient);
  const age::IdentityPtr first_key = *age::parse_identity(pair.identity.text());
  const File before = *encrypt(bytes_of("hunter2"), {&first, 1});
  const age::Recipients both = {first, recipient()};
  const age::RecipientPtr second = recipient();
  for (const auto& after : {rewrap(before, both, {&first_key, 1}), rewrap(before, {&second, 1}, {&first_key, 1})}) {
    ASSERT_THAT(after, Succeeds());
    const std::string path = folder.write("secret", print(*after));
    const Output output = run_program({sops, "decrypt", "--input-type", "binary", "--output-type", "binary", path});
    EXPECT_EQ(output.out, "hunter2") << output.err;
  }
}

TEST(Interop, WeReadWhatSopsWrites) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  const TestFolder folder;
  const age::IdentityPtr key = identity();
  const std::string others = age::generate_key_pair().recipient;
  for (const std::string& value : values()) {
    const std::string path = folder.write("plain", value);
    const Output output = run_program({sops, "encrypt", "--age", fmt::format("{},{}", others, kRecipient),
                                       "--input-type", "binary", "--output-type", "binary", path});
    ASSERT_TRUE(output.status.ok()) << output.err;
    const auto parsed = parse(output.out);
    ASSERT_THAT(parsed, Succeeds());
    EXPECT_EQ(*parse(print(*parsed)), *parsed);
    const auto back = decrypt(*parsed, {&key, 1});
    ASSERT_THAT(back, Succeeds());
    EXPECT_EQ(back->text(), value);
  }
}

TEST(Interop, WeReadWhatSopsMadeOfOurFile) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  const TestFolder folder;
  const age::RecipientPtr to = recipient();
  const age::KeyPair bob = age::generate_key_pair();
  const std::string path = folder.write("secret", print(*encrypt(bytes_of("hunter2"), {&to, 1})));
  const Output output = run_program(
      {sops, "rotate", "--input-type", "binary", "--output-type", "binary", "--add-age", bob.recipient, path});
  ASSERT_TRUE(output.status.ok()) << output.err;
  const auto parsed = parse(output.out);
  ASSERT_THAT(parsed, Succeeds());
  EXPECT_EQ(recipients(*parsed).size(), 2U);
  const age::IdentityPtr his = *age::parse_identity(bob.identity.text());
  const auto value = decrypt(*parsed, {&his, 1});
  ASSERT_THAT(value, Succeeds());
  EXPECT_EQ(value->text(), "hunter2");
}

/// What our tree reader finds in a file that sops made of `text` with a creation rule that says this.
std::map<std::string, std::string> by_sops(const std::string& sops, const std::string& name, const std::string& text,
                                           const std::vector<std::string>& rule) {
  const TestFolder folder;
  folder.write(".sops.yaml",
               fmt::format("creation_rules:\n  - age: {}\n    {}\n", kRecipient, fmt::join(rule, "\n    ")));
  const std::vector<std::string> argv = {sops, "--config", folder / ".sops.yaml", "encrypt", folder.write(name, text)};
  const Output output = run_program(argv);
  EXPECT_TRUE(output.status.ok()) << output.err;
  const age::IdentityPtr key = identity();
  const auto leaves = decrypt_tree(output.out, kind_of(name), {&key, 1});
  EXPECT_THAT(leaves, Succeeds()) << output.out;
  std::map<std::string, std::string> values;
  if (leaves)
    for (const Leaf& leaf : *leaves)
      values[fmt::format("{}", fmt::join(leaf.path, "/"))] =
          (leaf.encrypted ? "*" : "") + std::string(leaf.value.text());
  return values;
}

using Values = std::map<std::string, std::string>;

TEST(Interop, WeReadTreesThatSopsWritesWithEverySelection) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  const std::string yaml =
      "secret_a: \"x: y\"\nplain_b: 42\nnested:\n    secret_c: true\n    list: [1.5, z]\nend_unencrypted: e\n";
  const std::string json =
      R"({"secret_a": "x: y", "plain_b": 42, "nested": {"secret_c": true, "list": [1.5, "z"]}, "end_unencrypted": "e"})";
  const auto all = [](std::set<std::string> clear) {
    Values values = {{"secret_a", "x: y"},     {"plain_b", "42"},      {"nested/secret_c", "true"},
                     {"nested/list/0", "1.5"}, {"nested/list/1", "z"}, {"end_unencrypted", "e"}};
    for (auto& [path, value] : values)
      if (!clear.contains(path)) value = "*" + value;
    return values;
  };
  const std::set<std::string> without_secret = {"plain_b", "nested/list/0", "nested/list/1", "end_unencrypted"};
  for (const auto& [name, text] : {std::pair{std::string("t.yaml"), yaml}, {std::string("t.json"), json}}) {
    SCOPED_TRACE(name);
    EXPECT_EQ(by_sops(sops, name, text, {}), all({"end_unencrypted"}));
    EXPECT_EQ(by_sops(sops, name, text, {"unencrypted_suffix: _b"}), all({"plain_b"}));
    EXPECT_EQ(by_sops(sops, name, text, {"encrypted_suffix: _a"}),
              all({"plain_b", "nested/secret_c", "nested/list/0", "nested/list/1", "end_unencrypted"}));
    EXPECT_EQ(by_sops(sops, name, text, {"encrypted_regex: ^secret_"}), all(without_secret));
    EXPECT_EQ(by_sops(sops, name, text, {"unencrypted_regex: ^(plain|list|end)"}), all(without_secret));
    EXPECT_EQ(by_sops(sops, name, text, {"encrypted_regex: ^secret_", "mac_only_encrypted: true"}),
              all(without_secret));
  }
}

TEST(Interop, WeReadDotenvThatSopsWrites) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  EXPECT_EQ(by_sops(sops, "t.env", "A=one\nB_unencrypted=two=2\nC=\n", {}),
            (Values{{"A", "*one"}, {"B_unencrypted", "two=2"}, {"C", "*"}}));
}

TEST(Interop, WhatSopsWritesInFormsWeDoNotReadIsRefusedInWords) {
  const std::string sops = sops_program();
  if (sops.empty()) GTEST_SKIP() << "no sops on this machine";
  const TestFolder folder;
  const age::IdentityPtr key = identity();
  const Output ini =
      run_program({sops, "encrypt", "--age", std::string(kRecipient), folder.write("t.ini", "[a]\nb = c\n")});
  ASSERT_TRUE(ini.status.ok()) << ini.err;
  EXPECT_THAT(decrypt_tree(ini.out, kind_of("t.ini"), {&key, 1}), FailsWith(Errc::invalid_data, HasSubstr("INI")));
  folder.write(
      ".sops.yaml",
      fmt::format("creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age: [{}]\n      - age: [{}]\n",
                  kRecipient, age::generate_key_pair().recipient));
  const Output shamir =
      run_program({sops, "--config", folder / ".sops.yaml", "encrypt", folder.write("t.json", "{\"a\": \"b\"}")});
  ASSERT_TRUE(shamir.status.ok()) << shamir.err;
  EXPECT_THAT(decrypt_tree(shamir.out, Kind::json, {&key, 1}), FailsWith(Errc::invalid_data, HasSubstr("Shamir")));
}

}  // namespace
}  // namespace vmcred::sops
