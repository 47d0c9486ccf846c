#include "base/base64.h"

#include "matchers.h"

namespace vmcred {
namespace {

using testing::FailsWith;
using testing::HasSubstr;

TEST(Base64, EncodesTheVectorsOfTheRfc) {
  EXPECT_EQ(base64_encode(bytes_of("")), "");
  EXPECT_EQ(base64_encode(bytes_of("f")), "Zg==");
  EXPECT_EQ(base64_encode(bytes_of("fo")), "Zm8=");
  EXPECT_EQ(base64_encode(bytes_of("foo")), "Zm9v");
  EXPECT_EQ(base64_encode(bytes_of("fooba"), Padding::without), "Zm9vYmE");
}

TEST(Base64, DecodesWhatItEncodesForEveryLengthAndByte) {
  for (std::size_t size = 0; size < 520; ++size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + size);
    for (const Padding padding : {Padding::with, Padding::without}) {
      const auto decoded = base64_decode(base64_encode(bytes_of(bytes), padding), padding);
      ASSERT_THAT(decoded, testing::Succeeds());
      ASSERT_EQ(*decoded, bytes);
    }
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  EXPECT_THAT(base64_decode("QR=="), FailsWith(Errc::invalid_data, HasSubstr("canonical")));
  EXPECT_THAT(base64_decode("QUI"), FailsWith(Errc::invalid_data, HasSubstr("multiple of 4")));
  EXPECT_THAT(base64_decode("QUI=", Padding::without), FailsWith(Errc::invalid_data, HasSubstr("alphabet")));
  EXPECT_THAT(base64_decode("QU\n="), FailsWith(Errc::invalid_data, HasSubstr("character 3")));
  EXPECT_THAT(base64_decode("===="), FailsWith(Errc::invalid_data, HasSubstr("alphabet")));
  EXPECT_THAT(base64_decode("Q", Padding::without), FailsWith(Errc::invalid_data, HasSubstr("cut short")));
}

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(hex_encode(bytes_of("\x01\xfe")), "01fe");
  EXPECT_EQ(hex_decode("01Fe").value(), "\x01\xfe");
  EXPECT_THAT(hex_decode("0g"), FailsWith(Errc::invalid_data, HasSubstr("character 2")));
}

}  // namespace
}  // namespace vmcred
