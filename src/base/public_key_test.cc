#include "base/public_key.h"

#include <algorithm>

#include "base/base64.h"
#include "matchers.h"

namespace vmcred {
namespace {

using namespace vmcred::testing;  // NOLINT

TEST(Ed25519, SignsAsInRfc8032) {  // §7.1, test 1
  const std::string seed = *hex_decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const Ed25519Point key = ed25519_public(bytes_of(seed));
  EXPECT_EQ(hex_encode(key), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const Ed25519Signature signature = ed25519_sign(bytes_of(seed), {});
  EXPECT_EQ(hex_encode(signature),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f059"
            "5bbe2465514"
            "1438e7a100b");
  EXPECT_TRUE(ed25519_verify(key, {}, signature));
  EXPECT_FALSE(ed25519_verify(key, bytes_of("x"), signature));
  EXPECT_FALSE(ed25519_verify(key, {}, Bytes(signature).first(63)));
  Ed25519Signature changed = signature;
  changed[5] ^= 1;
  EXPECT_FALSE(ed25519_verify(key, {}, changed));
}

TEST(Ed25519, HasAnX25519Form) {
  const Secret seed = random_secret(32);
  EXPECT_EQ(*x25519_of(ed25519_public(seed.bytes())), X25519Key::from(x25519_of_seed(seed.bytes()).bytes())->point());
}

TEST(Rsa, RefusesNumbersThatAreNoKey) {
  EXPECT_FALSE(RsaKey::from({.modulus = "", .exponent = ""}).has_value() &&
               RsaKey::from({.modulus = "", .exponent = ""})->oaep_seal("x", bytes_of("y")).has_value());
  EXPECT_THAT(read_pem_private_key("nonsense"), FailsWith(Errc::invalid_data, HasSubstr("cannot be read")));
}

}  // namespace
}  // namespace vmcred
