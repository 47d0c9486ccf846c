#include "base/sha256.h"

#include "base/base64.h"
#include "matchers.h"

namespace vmcred {
namespace {

std::string from_hex(std::string_view text) { return hex_decode(text).value(); }

TEST(Sha256, GivesTheVectorOfTheStandard) {
  EXPECT_EQ(hex_encode(sha256(bytes_of("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HmacSha256, GivesTheVectorsOfRfc4231) {
  EXPECT_EQ(hex_encode(hmac_sha256(bytes_of("Jefe"), {bytes_of("what do ya want "), bytes_of("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_encode(hmac_sha256(bytes_of(std::string(131, '\xaa')),
                                   {bytes_of("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HkdfSha256, GivesTheVectorsOfRfc5869) {
  const std::string key = from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  EXPECT_EQ(hex_encode(hkdf_sha256(bytes_of(key), bytes_of(from_hex("000102030405060708090a0b0c")),
                                   bytes_of(from_hex("f0f1f2f3f4f5f6f7f8f9")), 42)
                           .bytes()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(hex_encode(hkdf_sha256(bytes_of(key), {}, {}, 42).bytes()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

}  // namespace
}  // namespace vmcred
