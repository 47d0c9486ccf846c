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

TEST(OemString, TellsTheLargestValueOfAStructure) {
  const std::size_t room = kPageStructure - kStructureOverhead;
  EXPECT_EQ(largest_value(Form::binary, "ELEVEN_CHAR", room), 3036U);
  EXPECT_EQ(largest_value(Form::binary, std::string(255, 'N'), room), 2853U);
  EXPECT_EQ(largest_value(Form::text, "ELEVEN_CHAR", room), 4066U - 11);
  EXPECT_EQ(largest_value(Form::text, "NAME", 10), std::nullopt);
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
