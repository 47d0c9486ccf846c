#include "credential/oem_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credential/limits.h"

namespace vmcred::credential {
namespace {

TEST(OemString, CostsPrefixNameEqualsValueAndNul) {
  EXPECT_EQ(oem_string_cost(Form::text, "NAME", 5), 22U + 4 + 1 + 5 + 1);
  EXPECT_EQ(oem_string_cost(Form::binary, "NAME", 5), 29U + 4 + 1 + 8 + 1);
  EXPECT_EQ(oem_string_cost(Form::binary, "ELEVEN_CHAR", 32), 86U);  // as measured in a guest
}

TEST(OemString, TheLargestValuesOfAStructureAreAsMeasured) {
  const std::size_t room = kPageStructure - kStructureOverhead;
  for (const auto& [form, name, largest] : {std::tuple(Form::binary, std::string("ELEVEN_CHAR"), 3036U),
                                            std::tuple(Form::binary, std::string(255, 'N'), 2853U),
                                            std::tuple(Form::text, std::string("ELEVEN_CHAR"), 4055U)}) {
    EXPECT_LE(oem_string_cost(form, name, largest), room) << name;
    EXPECT_GT(oem_string_cost(form, name, largest + 1), room) << name;
  }
}

TEST(OemString, IsTakenApartAtTheFirstEquals) {
  const auto binary = read_credential_string("io.systemd.credential.binary:A=eA==");
  ASSERT_TRUE(binary);
  EXPECT_EQ(binary->form, Form::binary);
  EXPECT_EQ(binary->name, "A");
  EXPECT_EQ(binary->value, "eA==");
  EXPECT_EQ(read_credential_string("io.systemd.credential:B=")->value, "");
  EXPECT_FALSE(read_credential_string("io.systemd.credential:C"));
  EXPECT_FALSE(read_credential_string("io.systemd.Credential:C=x"));
}

}  // namespace
}  // namespace vmcred::credential
