#include "link/address.h"

#include <string>
#include <vector>

#include "matchers.h"

namespace vmcred::link {
namespace {

using ::testing::_;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::secret;

const std::string kHex = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

TEST(LinkLine, CarriesTransportAndToken) {
  for (const auto& text : std::vector<std::string>{"v1 serial " + kHex, "v1 vsock:2:9999 " + kHex}) {
    const auto address = parse_link_line(bytes_of(text));
    ASSERT_TRUE(address) << address.error().message;
    EXPECT_EQ(address->token.size(), kTokenSize);
    EXPECT_EQ(link_line(*address).text(), text);
  }
}

TEST(LinkLine, TakesOneNewlineAtTheEnd) { EXPECT_TRUE(parse_link_line(bytes_of("v1 serial " + kHex + "\n"))); }

TEST(LinkLine, RefusesWhatIsNotOneOfItsForms) {
  for (const auto& text : std::vector<std::string>{
           std::string(), std::string("v1 serial "), "v2 serial " + kHex, "v1 serial " + kHex.substr(1),
           "v1 serial " + kHex + "0", "v1 serial  " + kHex, "v1 vsock:3:1 " + kHex, "v1 vsock:2: " + kHex,
           "v1 vsock:2:0 " + kHex, "v1 vsock:2:01 " + kHex, "v1 vsock:2:4294967296 " + kHex, "v1 vsock:2:1",
           "v1 serial " + kHex + "\n\n", "v1 serial G" + kHex.substr(1)}) {
    EXPECT_THAT(parse_link_line(bytes_of(text)), FailsWith(Errc::invalid_data, _)) << text;
  }
}

TEST(LinkLine, ItsErrorsDoNotQuoteTheToken) {
  const auto broken = parse_link_line(bytes_of("v1 serial " + kHex + "zz"));
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, Not(HasSubstr("0011")));
}

}  // namespace
}  // namespace vmcred::link
