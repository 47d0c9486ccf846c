#include "age/sshsig.h"

#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

TEST(SshSignature, IsBoundToKeyPurposeAndContent) {
  const SshPrivateKey key = some_ssh_key();
  const auto signature = ssh_sign(key, "vmcred", bytes_of("content"));
  ASSERT_THAT(signature, Succeeds());
  const auto signer = ssh_verify(*signature, "vmcred", bytes_of("content"));
  ASSERT_THAT(signer, Succeeds());
  EXPECT_EQ(signer->line(), key.public_key.line());
  EXPECT_THAT(ssh_verify(*signature, "vmcred", bytes_of("content ")), FailsWith(Errc::mismatch, HasSubstr("content")));
  EXPECT_THAT(ssh_verify(*signature, "git", bytes_of("content")), FailsWith(Errc::mismatch, HasSubstr("purpose")));
  EXPECT_THAT(ssh_verify("", "vmcred", {}), FailsWith(Errc::invalid_data, HasSubstr("no SSH signature")));
  EXPECT_THAT(ssh_sign(key, "", {}), FailsWith(Errc::usage, HasSubstr("name space")));
}

TEST(SshSignature, NoChangedByteAndNoShorterTextPasses) {
  const auto signature = ssh_sign(some_ssh_key(), "vmcred", bytes_of("content"));
  ASSERT_THAT(signature, Succeeds());
  for (std::size_t i = 0; i < signature->size(); ++i) {
    std::string changed = *signature;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(ssh_verify(changed, "vmcred", bytes_of("content"))) << i;
    EXPECT_FALSE(ssh_verify(signature->substr(0, i), "vmcred", bytes_of("content"))) << i;
  }
}

TEST(SshPrivateKey, IsWrittenAsSshKeygenReadsIt) {
  const SshPrivateKey key = some_ssh_key();
  const Secret text = print_ssh_private_key(key, "a comment");
  const auto back = parse_ssh_private_key(text.text());
  ASSERT_THAT(back, Succeeds());
  EXPECT_TRUE(equal_in_constant_time(back->seed()->bytes(), key.seed()->bytes()));
  const std::string keygen = program("ssh-keygen");
  ASSERT_NE(keygen, "") << kRunSetup;
  const TestFolder folder;
  ASSERT_THAT(write_file(folder / "key", text.text(), 0600), Succeeds());
  const auto shown = run({.argv = {keygen, "-y", "-P", "", "-f", folder / "key"}});
  ASSERT_THAT(shown, Succeeds());
  EXPECT_EQ(shown->out, key.public_key.line() + " a comment\n") << shown->err;
}

TEST(SshSignature, AgreesWithSshKeygenInBothDirections) {
  const std::string keygen = program("ssh-keygen");
  ASSERT_NE(keygen, "") << kRunSetup;
  const TestFolder folder;
  ASSERT_TRUE(run({.argv = {keygen, "-q", "-t", "ed25519", "-N", "", "-C", "me", "-f", folder / "key"}})->status.ok());
  const auto key = parse_ssh_private_key(*read_file(folder / "key", 10'000));
  ASSERT_THAT(key, Succeeds());
  const std::string ours = folder.write("ours.sig", *ssh_sign(*key, "vmcred", bytes_of("content\n")));
  const std::string signers =
      folder.write("signers", fmt::format("me@here namespaces=\"vmcred\" {}\n", key->public_key.line()));
  const auto verified =
      run({.argv = {keygen, "-Y", "verify", "-f", signers, "-I", "me@here", "-n", "vmcred", "-s", ours}},
          {.input = "content\n"});
  ASSERT_THAT(verified, Succeeds());
  EXPECT_TRUE(verified->status.ok()) << verified->out << verified->err;

  for (const std::string hash : {"sha512", "sha256"}) {
    const auto theirs =
        run({.argv = {keygen, "-Y", "sign", "-f", folder / "key", "-n", "vmcred", "-O", "hashalg=" + hash}},
            {.input = "content\n"});
    ASSERT_THAT(theirs, Succeeds());
    const auto signer = ssh_verify(theirs->out, "vmcred", bytes_of("content\n"));
    ASSERT_THAT(signer, Succeeds()) << theirs->err;
    EXPECT_EQ(signer->wire, key->public_key.wire);
  }
}

}  // namespace
}  // namespace vmcred::age
