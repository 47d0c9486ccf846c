#include "sops/enc.h"

#include "age/test_support.h"
#include "matchers.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT

const std::string kKey = counting(0, 32);

std::string sealed(std::string_view place, std::string_view plaintext, std::string_view type) {
  ScriptedRandomness dice({repeated(0xa1, 32)});
  return seal(bytes_of(kKey), place, bytes_of(plaintext), type, dice);
}

TEST(Enc, WritesTheKnownAnswers) {
  constexpr std::string_view iv = "oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE=";
  struct Known {
    std::string place, plaintext, type, data, tag;
  };
  for (const Known& known : std::vector<Known>{{"data:", "hunter2", "str", "oBkglHCwrw==", "d72s6Whmmz20f+1G5Nl5Sw=="},
                                               {"a:b:", "42", "int", "/F4=", "ZS/7ot2Jkpo6yiUc/5q0Ag=="},
                                               {"f:", "3.25", "float", "+0J81Q==", "Ey2PD4cAnu/Jmh4pjeLDow=="},
                                               {"t:", "True", "bool", "nB47hQ==", "d2k35/xQ6AYXSTID8wpQSQ=="},
                                               {":", " note", "comment", "6AIhlHA=", "4/28AoHRERP5bKfzflGkmg=="},
                                               {"list:", "x", "str", "sA==", "Er1l5yHfDBmSntubWme5vA=="}}) {
    const std::string text =
        fmt::format("ENC[AES256_GCM,data:{},iv:{},tag:{},type:{}]", known.data, iv, known.tag, known.type);
    EXPECT_EQ(sealed(known.place, known.plaintext, known.type), text);
    const auto opened = open(bytes_of(kKey), known.place, text);
    ASSERT_THAT(opened, Succeeds());
    EXPECT_EQ(opened->plaintext.text(), known.plaintext);
    EXPECT_EQ(opened->type, known.type);
  }
}

TEST(Enc, IsBoundToItsPlaceAndKey) {
  const std::string text = sealed("data:", "hunter2", "str");
  EXPECT_THAT(open(bytes_of(kKey), "date:", text), FailsWith(Errc::mismatch, HasSubstr("tag")));
  EXPECT_THAT(open(bytes_of(counting(1, 32)), "data:", text), FailsWith(Errc::mismatch, HasSubstr("tag")));
}

TEST(Enc, RefusesEveryOtherForm) {
  const std::string good = sealed("data:", "hunter2", "str");
  for (const std::string& bad :
       std::vector<std::string>{std::string(), std::string("ENC[]"), good + " ", good + "x]", good.substr(1),
                                good.substr(0, good.size() - 1), "ENC[AES256_GCM,data:,iv:,tag:,type:str]",
                                good.substr(0, good.size() - 1) + ",more:1]"}) {
    EXPECT_THAT(open(bytes_of(kKey), "data:", bad), FailsWith(Errc::invalid_data, HasSubstr(""))) << bad;
  }
}

}  // namespace
}  // namespace vmcred::sops
