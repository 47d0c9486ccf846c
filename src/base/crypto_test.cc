#include "base/crypto.h"

#include <algorithm>

#include "base/base64.h"
#include "matchers.h"

namespace vmcred {
namespace {

using namespace vmcred::testing;  // NOLINT

std::string hex(std::string_view digits) { return *hex_decode(digits); }

X25519Point point(std::string_view digits) {
  X25519Point result = {};
  std::ranges::copy(bytes_of(hex(digits)), result.begin());
  return result;
}

TEST(X25519, BothSidesAgree) {
  const std::string alice_secret = hex("77076d0a7318a57d3c16c17251b26645df4c5ea67de5c2ff5fb3d9a7f5f8e5e1");
  const auto alice = X25519Key::from(bytes_of(alice_secret));
  const X25519Key bob = X25519Key::generate();
  ASSERT_THAT(alice, Succeeds());
  EXPECT_EQ(alice->secret().text(), alice_secret);
  EXPECT_TRUE(equal_in_constant_time(alice->agree(bob.point())->bytes(), bob.agree(alice->point())->bytes()));
}

TEST(X25519, GivesTheKnownAnswer) {
  std::string one(32, '\0');
  for (unsigned i = 0; i < 32; ++i) one[i] = static_cast<char>(i + 1);
  const auto ephemeral = X25519Key::from(bytes_of(std::string(32, '\x42')));
  const auto key = X25519Key::from(bytes_of(one));
  EXPECT_EQ(hex_encode(ephemeral->point()), "132c442be010fbd57e72603328aa76e71fccc1503aae219327d14d9c9993f472");
  EXPECT_EQ(hex_encode(ephemeral->agree(key->point())->bytes()),
            "cee33c43821b272c6d690aea5cbdddca86bdc0812203cc004656bda4c37f3a26");
}

TEST(X25519, RefusesLowOrderPointsAndOtherSizes) {
  EXPECT_THAT(X25519Key::generate().agree(X25519Point{}), FailsWith(Errc::invalid_data, HasSubstr("low order")));
  EXPECT_THAT(X25519Key::generate().agree(point("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
              FailsWith(Errc::invalid_data, HasSubstr("low order")));
  EXPECT_THAT(X25519Key::from(bytes_of("short")), FailsWith(Errc::invalid_data, HasSubstr("32 bytes, not 5")));
}

TEST(Chacha, OpensWhatItSealedAndNothingElse) {
  const Secret key = random_secret(32);
  std::string sealed(7 + 16, '\0');
  chacha_seal(key.bytes(), Nonce12{1}, bytes_of("hunter2"),
              {reinterpret_cast<std::uint8_t*>(sealed.data()), sealed.size()});
  Secret back(7);
  ASSERT_THAT(chacha_open(key.bytes(), Nonce12{1}, bytes_of(sealed), back.writable()), Succeeds());
  EXPECT_EQ(back.text(), "hunter2");
  EXPECT_THAT(chacha_open(key.bytes(), Nonce12{2}, bytes_of(sealed), back.writable()),
              FailsWith(Errc::mismatch, HasSubstr("tag")));
  EXPECT_EQ(back.text(), std::string(7, '\0')) << "wiped";
  EXPECT_THAT(chacha_open(key.bytes(), Nonce12{1}, bytes_of("short"), back.writable()),
              FailsWith(Errc::mismatch, HasSubstr("shorter")));
}

TEST(AesGcm, TakesEveryKeyAndIvLength) {
  for (const std::size_t key_size : {16UL, 24UL, 32UL}) {
    for (const std::size_t iv_size : {12UL, 32UL}) {
      const Secret key = random_secret(key_size);
      const Secret iv = random_secret(iv_size);
      const Sealed sealed = aes_gcm_seal(key.bytes(), iv.bytes(), bytes_of("here"), bytes_of("hunter2"));
      const auto back =
          aes_gcm_open(key.bytes(), iv.bytes(), bytes_of("here"), bytes_of(sealed.ciphertext), sealed.tag);
      ASSERT_THAT(back, Succeeds());
      EXPECT_EQ(back->text(), "hunter2");
      EXPECT_THAT(aes_gcm_open(key.bytes(), iv.bytes(), bytes_of("there"), bytes_of(sealed.ciphertext), sealed.tag),
                  FailsWith(Errc::mismatch, HasSubstr("tag")));
    }
  }
  EXPECT_THAT(aes_gcm_open(bytes_of("short"), bytes_of("iv"), {}, {}, {}),
              FailsWith(Errc::invalid_data, HasSubstr("AES key")));
}

TEST(Sha512, IsTheSameInPieces) {
  Sha512 running;
  running.update(bytes_of("a"));
  running.update(bytes_of("bc"));
  const auto digest = running.finish();
  EXPECT_EQ(hex_encode(digest).substr(0, 32), "ddaf35a193617abacc417349ae204131");  // FIPS 180-4, "abc"
  EXPECT_EQ(digest, sha512({bytes_of("ab"), bytes_of("c")}));
}

TEST(Scrypt, RefusesTooMuchWorkAndDoesTheRest) {
  EXPECT_THAT(scrypt(bytes_of("x"), bytes_of("y"), 23), FailsWith(Errc::usage, HasSubstr("work factor of 23")));
  EXPECT_THAT(scrypt(bytes_of("x"), bytes_of("y"), 0), FailsWith(Errc::usage, HasSubstr("work factor of 0")));
  EXPECT_THAT(scrypt(bytes_of("x"), bytes_of("y"), 15), Succeeds()) << "more than libcrypto's usual 32 MiB";
}

TEST(Random, GivesDifferentBytes) {
  EXPECT_FALSE(equal_in_constant_time(random_secret(32).bytes(), random_secret(32).bytes()));
}

}  // namespace
}  // namespace vmcred
