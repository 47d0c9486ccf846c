#include "age/ssh.h"

#include "age/age.h"
#include "age/test_support.h"
#include "age/x25519.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

constexpr std::string_view kPublic = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk";

SshPrivateKey known_key() {
  const std::string seed = counting(1, 32);
  return {.public_key = ssh_public_key(ed25519_public(bytes_of(seed))), .key = secret(seed)};
}

TEST(Ssh, WritesTheKnownAnswerAndReadsIt) {
  ScriptedRandomness dice({counting(0x10, 16), repeated(0x42, 32), repeated(0x24, 16)});
  const auto to = parse_recipient(kPublic);
  ASSERT_THAT(to, Succeeds());
  const auto file = encrypt({&*to, 1}, bytes_of(counting(0, 32)), dice);
  ASSERT_THAT(file, Succeeds());
  EXPECT_EQ(sha256_hex(*file), "55941a52193810fed508dd245e867001ade4b28db290f8fe99ce76ec85f78bd8");
  EXPECT_EQ(known_key().public_key.line(), kPublic);
  const auto keys = ssh_identities(known_key());
  ASSERT_THAT(keys, Succeeds());
  EXPECT_EQ(decrypt(*keys, *file)->text(), counting(0, 32));
  EXPECT_TRUE(keys->front()->reads(kPublic));
  EXPECT_TRUE(keys->front()->reads(fmt::format("{} me@here", kPublic)));
  EXPECT_FALSE(keys->front()->reads(fmt::format("{}x", kPublic)));
}

TEST(Ssh, AlsoReadsWhatIsForTheConvertedKey) {
  const auto keys = ssh_identities(known_key());
  const std::string converted = "age1fguq05ry6pm3s8xqwzvfua5fr5sdef24j4ydctrhcxjsyuug9vuqrp96hx";
  EXPECT_EQ(keys->back()->recipient(), converted);
  EXPECT_EQ(x25519_recipient_text(*x25519_of(*known_key().public_key.ed25519())), converted);
}

TEST(Ssh, RefusesWhatIsNoKey) {
  EXPECT_THAT(parse_recipient("ssh-ed25519 AAAA"), FailsWith(Errc::invalid_data, HasSubstr("cut short")));
  EXPECT_THAT(parse_recipient("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIHm1Vi6P5lT5QHixEuipi6eQH4U65pW+1+DjkQutBJZk"),
              FailsWith(Errc::invalid_data, HasSubstr("another kind")));
  EXPECT_THAT(parse_recipient("ssh-ed25519"), FailsWith(Errc::invalid_data, HasSubstr("second word")));
  Ed25519Point no_point = {};
  no_point[0] = 2;  // y = 2 is on no point of the curve
  EXPECT_THAT(parse_recipient(ssh_public_key(no_point).line()), FailsWith(Errc::invalid_data, HasSubstr("no point")));
  Ed25519Point identity_point = {};
  identity_point[0] = 1;
  EXPECT_THAT(parse_recipient(ssh_public_key(identity_point).line()),
              FailsWith(Errc::invalid_data, HasSubstr("no point")));
}

/// A key pair by ssh-keygen in `folder`; false, and a failed test, where that fails.
bool keygen(const TestFolder& folder, const std::vector<std::string>& arguments) {
  const std::string keygen_program = program("ssh-keygen");
  EXPECT_NE(keygen_program, "") << kRunSetup;
  if (keygen_program.empty()) return false;
  std::vector<std::string> argv = {keygen_program, "-q", "-C", "somebody", "-f", folder / "key"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto output = run({.argv = argv});
  EXPECT_TRUE(output && output->status.ok()) << (output ? output->err : output.error().message);
  return output && output->status.ok();
}

struct Kind {
  std::string name;
  std::vector<std::string> arguments;
};

class SshFiles : public ::testing::TestWithParam<Kind> {};

TEST_P(SshFiles, OfSshKeygenWorkWithAgeInBothDirections) {
  const TestFolder folder;
  const std::string age_program = program("age");
  ASSERT_NE(age_program, "") << kRunSetup;
  ASSERT_TRUE(keygen(folder, GetParam().arguments));
  const auto keys = parse_identities(*read_file(folder / "key", 100'000));
  ASSERT_THAT(keys, Succeeds());
  const auto to = parse_recipient(*read_file(folder / "key.pub", 100'000));
  ASSERT_THAT(to, Succeeds());
  EXPECT_TRUE(keys->front()->reads((*to)->text()));

  const auto ours =
      run({.argv = {age_program, "-d", "-i", folder / "key"}}, {.input = *encrypt({&*to, 1}, bytes_of("hunter2"))});
  ASSERT_THAT(ours, Succeeds());
  EXPECT_EQ(ours->out, "hunter2") << ours->err;
  const auto theirs = run({.argv = {age_program, "-R", folder / "key.pub"}}, {.input = "hunter2"});
  ASSERT_THAT(theirs, Succeeds());
  const auto back = decrypt(*keys, theirs->out);
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(back->text(), "hunter2");
}

INSTANTIATE_TEST_SUITE_P(Kinds, SshFiles,
                         ::testing::Values(Kind{"ed25519", {"-t", "ed25519", "-N", ""}},
                                           Kind{"rsa", {"-t", "rsa", "-b", "2048", "-N", ""}},
                                           Kind{"rsa_pkcs1", {"-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"}},
                                           Kind{"rsa_pkcs8", {"-t", "rsa", "-b", "3072", "-N", "", "-m", "PKCS8"}}),
                         [](const auto& one) { return one.param.name; });

TEST(Ssh, SaysThatAKeyIsProtectedOrOfAnotherKind) {
  for (const auto& [arguments, code, words] : std::vector<std::tuple<std::vector<std::string>, Errc, std::string>>{
           {{"-t", "ed25519", "-N", "hunter2"}, Errc::denied, "protected by a passphrase"},
           {{"-t", "rsa", "-b", "2048", "-N", "hunter2", "-m", "PEM"}, Errc::denied, "protected by a passphrase"},
           {{"-t", "rsa", "-b", "2048", "-N", "hunter2", "-m", "PKCS8"}, Errc::denied, "protected by a passphrase"},
           {{"-t", "ecdsa", "-N", ""}, Errc::invalid_data, "neither Ed25519 nor RSA"},
           {{"-t", "ecdsa", "-N", "", "-m", "PKCS8"}, Errc::invalid_data, "neither Ed25519 nor RSA"},
           {{"-t", "rsa", "-b", "1024", "-N", ""}, Errc::invalid_data, "1024 bits"}}) {
    const TestFolder folder;
    ASSERT_TRUE(keygen(folder, arguments));
    EXPECT_THAT(parse_identities(*read_file(folder / "key", 100'000)), FailsWith(code, HasSubstr(words)));
  }
}

}  // namespace
}  // namespace vmcred::age
