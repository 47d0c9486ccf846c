#include "age/trusted_signers.h"

#include "age/sshsig.h"
#include "age/test_support.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

const SystemTime kNow = *parse_rfc3339("2026-06-15T12:00:00Z");

/// Whether a file of one line, "alice OPTIONS KEY", trusts that key for "vmcred" now.
bool trusted(const std::string& options) {
  const SshPrivateKey key = some_ssh_key();
  const auto signers =
      TrustedSigners::parse(fmt::format("# mine\n\nalice {} {} laptop\r\n", options, key.public_key.line()));
  EXPECT_THAT(signers, Succeeds());
  return signers && signers->trusts(key.public_key, "vmcred", kNow);
}

TEST(TrustedSigners, NameWhoSigned) {
  const SshPrivateKey key = some_ssh_key();
  const auto signers = *TrustedSigners::parse(fmt::format("alice@example.org,al {}\n", key.public_key.line()));
  const std::string signature = *ssh_sign(key, "vmcred", bytes_of("content"));
  EXPECT_EQ(*signers.verify(signature, "vmcred", bytes_of("content"), kNow), "alice@example.org,al");
  EXPECT_THAT(
      signers.verify(*ssh_sign(some_ssh_key(), "vmcred", bytes_of("content")), "vmcred", bytes_of("content"), kNow),
      FailsWith(Errc::denied, HasSubstr("not trusted")));
  EXPECT_THAT(signers.verify(signature, "vmcred", bytes_of("other"), kNow),
              FailsWith(Errc::mismatch, HasSubstr("content")));
}

TEST(TrustedSigners, AreTrustedForTheirNameSpacesAndTimesAlone) {
  EXPECT_TRUE(trusted(""));
  EXPECT_TRUE(trusted("namespaces=\"git,vmcred\""));
  EXPECT_TRUE(trusted("valid-after=\"20260101\",valid-before=\"20270101Z\""));
  EXPECT_FALSE(trusted("namespaces=\"git\""));
  EXPECT_TRUE(trusted("valid-before=99991231"));
  EXPECT_FALSE(trusted("valid-after=99991231"));
  EXPECT_FALSE(trusted("valid-after=\"202606151201\""));
  EXPECT_FALSE(trusted("valid-before=20260615120000"));
}

TEST(TrustedSigners, GrantNothingToKeysThatCannotSignHere) {
  const auto signers = TrustedSigners::parse("bob ecdsa-sha2-nistp256 AAAAE2VjZHNh bob@laptop\n");
  ASSERT_THAT(signers, Succeeds());
  EXPECT_TRUE(signers->empty());
}

TEST(TrustedSigners, SayWhichLineIsWrong) {
  const std::string line = some_ssh_key().public_key.line();
  EXPECT_THAT(TrustedSigners::parse("\nalice\n"), FailsWith(Errc::invalid_data, HasSubstr("line 2")));
  EXPECT_THAT(TrustedSigners::parse("alice ssh-ed25519 AAAA\n"), FailsWith(Errc::invalid_data, HasSubstr("line 1")));
  EXPECT_THAT(TrustedSigners::parse("a cert-authority " + line),
              FailsWith(Errc::invalid_data, HasSubstr("certificate")));
  EXPECT_THAT(TrustedSigners::parse("a verify-required " + line), FailsWith(Errc::invalid_data, HasSubstr("unknown")));
  EXPECT_THAT(TrustedSigners::parse("a valid-after=soon " + line), FailsWith(Errc::invalid_data, HasSubstr("'soon'")));
}

}  // namespace
}  // namespace vmcred::age
