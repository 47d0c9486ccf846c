#include "base/keccak.h"

#include "base/base64.h"
#include "matchers.h"

namespace vmcred {
namespace {

template <std::size_t size, class Function>
std::string hex_of(Function function, std::initializer_list<Bytes> parts) {
  std::array<std::uint8_t, size> out = {};
  function(parts, out);
  return hex_encode(out);
}

TEST(Keccak, GivesTheVectorsOfTheStandard) {
  EXPECT_EQ(hex_of<32>(sha3_256, {}), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  EXPECT_EQ(hex_of<32>(sha3_256, {bytes_of("abc")}),
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  EXPECT_EQ(hex_of<64>(sha3_512, {bytes_of("a"), bytes_of("bc")}),
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf4"
            "08d5a56592f8274eec53f0");
  EXPECT_EQ(hex_of<32>(shake256, {}), "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

TEST(Keccak, SqueezedInPiecesItGivesTheSameBytes) {
  Sponge whole = Sponge::shake128();
  Sponge pieces = Sponge::shake128();
  std::array<std::uint8_t, 600> a = {};
  std::array<std::uint8_t, 600> b = {};
  whole.squeeze(a);
  for (std::size_t at = 0; at < b.size(); at += 75) pieces.squeeze(WritableBytes(b).subspan(at, 75));
  EXPECT_EQ(hex_encode(a), hex_encode(b));
  EXPECT_EQ(hex_encode(Bytes(a).first(16)), "7f9c2ba4e88f827d616045507605853e");
}

TEST(Keccak, ABlockThatIsFullIsFollowedByItsPadding) {
  const std::string full(136, '\xa3');
  EXPECT_NE(hex_of<32>(sha3_256, {bytes_of(full)}), hex_of<32>(sha3_256, {bytes_of(full.substr(1))}));
  // FIPS 202's example of 1,600 bits: 200 bytes of a3.
  EXPECT_EQ(hex_of<32>(sha3_256, {bytes_of(full), bytes_of(full.substr(72))}),
            "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787");
}

}  // namespace
}  // namespace vmcred
