#include "age/scrypt.h"

#include "age/age.h"
#include "age/test_support.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

constexpr std::string_view kPassphrase = "correct horse battery staple";

TEST(Passphrase, WritesTheKnownAnswerAndReadsIt) {
  ScriptedRandomness dice({counting(0x10, 16), repeated(0x11, 16), repeated(0x24, 16)});
  const auto to = passphrase_recipient(secret(kPassphrase), 10);
  ASSERT_THAT(to, Succeeds());
  const auto file = encrypt({&*to, 1}, bytes_of(counting(0, 32)), dice);
  ASSERT_THAT(file, Succeeds());
  EXPECT_EQ(sha256_hex(*file), "aa7f99e9d742dd800956bffc1e183fc7aae0a7b4ebffa242d13660babdec367c");
  const auto key = passphrase_identity(secret(kPassphrase));
  EXPECT_EQ(decrypt({&*key, 1}, *file)->text(), counting(0, 32));
  const auto wrong = passphrase_identity(secret("incorrect horse"));
  EXPECT_THAT(decrypt({&*wrong, 1}, *file), FailsWith(Errc::denied, HasSubstr("no identity")));
  const auto lazy = passphrase_identity(secret(kPassphrase), 9);
  EXPECT_THAT(decrypt({&*lazy, 1}, *file), FailsWith(Errc::invalid_data, HasSubstr("work factor of 10")));
}

TEST(Passphrase, StandsAlone) {
  const auto first = passphrase_recipient(secret(kPassphrase), 1);
  const auto second = passphrase_recipient(secret(kPassphrase), 1);
  for (const Recipients& together : {Recipients{*first, recipient()}, Recipients{*first, *second}}) {
    EXPECT_THAT(encrypt(together, bytes_of("x")), FailsWith(Errc::usage, HasSubstr("cannot share")));
  }
  EXPECT_THAT(passphrase_recipient(Secret()), FailsWith(Errc::usage, HasSubstr("empty")));
  EXPECT_THAT(passphrase_identity(Secret()), FailsWith(Errc::usage, HasSubstr("empty")));
}

}  // namespace
}  // namespace vmcred::age
