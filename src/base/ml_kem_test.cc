#include "base/ml_kem.h"

#include "base/base64.h"
#include "base/keccak.h"
#include "base/ml_kem_field.h"
#include "base/sha256.h"
#include "matchers.h"

namespace vmcred::ml_kem {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;

DecapsulationKey some_key() { return DecapsulationKey(bytes_of(std::string(64, '\x5a'))); }

/// The digest of all that `runs` draws from a fixed stream of dice give, in the way of CCTV's accumulated vectors.
std::string accumulated(int runs) {
  Sponge dice = Sponge::shake128();
  Sponge all = Sponge::shake128();
  for (int i = 0; i < runs; ++i) {
    std::array<std::uint8_t, kSeed> seed = {};
    std::array<std::uint8_t, 32> message = {};
    std::array<std::uint8_t, kCiphertext> foreign = {};
    dice.squeeze(seed);
    dice.squeeze(message);
    dice.squeeze(foreign);
    const DecapsulationKey key(seed);
    const Encapsulated made = encapsulate(key.encapsulation_key(), message);
    EXPECT_EQ(hex_encode(made.shared.bytes()), hex_encode(key.decapsulate(made.ciphertext).bytes()));
    all.absorb(key.encapsulation_key());
    all.absorb(made.ciphertext);
    all.absorb(made.shared.bytes());
    all.absorb(key.decapsulate(foreign).bytes());
  }
  std::array<std::uint8_t, 32> digest = {};
  all.squeeze(digest);
  return hex_encode(digest);
}

// The digests that Go 1.26's crypto/mlkem (FIPS 203, validated by NIST) is tested with; CCTV's own are those of the
// draft.
TEST(MlKem, RunsGiveWhatFips203Gives) {
  EXPECT_EQ(accumulated(100), "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415");
}

TEST(MlKem, AChangedCiphertextGivesTheSecretOfTheRejection) {
  const DecapsulationKey key = some_key();
  const Encapsulated made = encapsulate(key.encapsulation_key(), bytes_of(std::string(32, 'm')));
  for (const std::size_t where : {std::size_t{0}, std::size_t{500}, kCiphertext - 1}) {
    auto other = made.ciphertext;
    other[where] ^= 1;
    Secret expected(32);
    shake256({bytes_of(std::string(32, '\x5a')), other}, expected.writable());
    EXPECT_EQ(hex_encode(key.decapsulate(other).bytes()), hex_encode(expected.bytes())) << where;
  }
}

// The seed of CCTV's "unlucky" vector: SampleNTT has to read 576 bytes, which happens once in 2^38 times. The digest is
// that of the same algorithm over Python's hashlib.
TEST(MlKem, AnUnluckySampleReadsOn) {
  const std::string seed = hex_decode("5c3c6fe50d06fc1bbbffafc56ab7050f2773ee8ef8d28ca4b97b43c8d7202e71").value();
  std::array<std::uint8_t, 384> bytes = {};
  encode(sample_uniform(bytes_of(seed), 0, 0), 12, bytes);
  EXPECT_EQ(hex_encode(sha256(bytes)), "8a5d0c4e7a4c2730c1b2074d5a8f96c28dc1047727876a4226b882f1f77fbde6");
}

TEST(MlKem, RefusesKeysThatAreNone) {
  const std::string good(text_of(some_key().encapsulation_key()));
  EXPECT_THAT(check_encapsulation_key(bytes_of(good)), Succeeds());
  EXPECT_THAT(check_encapsulation_key(bytes_of(good.substr(1))), FailsWith(Errc::invalid_data, HasSubstr("1184")));
  // As CCTV's vectors do it: every place with a number beyond the modulus, and every such number at some place.
  for (std::size_t place = 0; place < 768; ++place) {
    const auto number = static_cast<std::uint16_t>(kModulus + place % (4096 - kModulus));
    std::string bad = good;
    const std::size_t byte = place / 2 * 3;
    if (place % 2 == 0) {
      bad[byte] = static_cast<char>(number);
      bad[byte + 1] = static_cast<char>((static_cast<unsigned char>(bad[byte + 1]) & 0xf0) | number >> 8);
    } else {
      bad[byte + 1] = static_cast<char>((static_cast<unsigned char>(bad[byte + 1]) & 0x0f) | (number & 15) << 4);
      bad[byte + 2] = static_cast<char>(number >> 4);
    }
    EXPECT_THAT(check_encapsulation_key(bytes_of(bad)), FailsWith(Errc::invalid_data, HasSubstr("modulus"))) << place;
  }
}

TEST(MlKemField, MultiplicationInsteadOfDivisionIsExact) {
  for (std::uint32_t x = 0; x < kModulus; ++x) {
    const auto rounded = [&](unsigned d) { return ((x << d) + kModulus / 2) / kModulus % (1U << d); };
    ASSERT_EQ(compress<1>(static_cast<std::uint16_t>(x)), rounded(1)) << x;
    ASSERT_EQ(compress<4>(static_cast<std::uint16_t>(x)), rounded(4)) << x;
    ASSERT_EQ(compress<10>(static_cast<std::uint16_t>(x)), rounded(10)) << x;
  }
  for (std::uint32_t x = 0; x <= (kModulus - 1) * (kModulus - 1); x += 7) ASSERT_EQ(reduce(x), x % kModulus) << x;
}

}  // namespace
}  // namespace vmcred::ml_kem
