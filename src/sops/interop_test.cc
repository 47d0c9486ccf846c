// Both directions against the programs of the machine: `age` opens our data key, `sops` (on PATH or $VMCRED_SOPS) reads
// what we write and writes what we read.
#include "age/test_support.h"
#include "base/crypto.h"
#include "base/file.h"
#include "matchers.h"
#include "sops/sops.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT

std::string sops_program() { return program("sops", "VMCRED_SOPS"); }

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
  if (age_program.empty()) GTEST_SKIP() << "no age on this machine";
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
    EXPECT_EQ(print(*parsed), output.out) << "we print as sops does";
    const auto back = decrypt(*parsed, {&key, 1});
    ASSERT_THAT(back, Succeeds());
    EXPECT_EQ(back->text(), value);
  }
}

}  // namespace
}  // namespace vmcred::sops
