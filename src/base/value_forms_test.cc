#include "base/value_forms.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "base/base64.h"
#include "matchers.h"

namespace vmcred {
namespace {

std::vector<std::string> forms(std::string_view value, std::string_view encoding) {
  std::vector<std::string> found;
  for (const ValueForm& form : forms_of(bytes_of(value)))
    if (form.encoding == encoding) found.emplace_back(form.text.text());
  return found;
}

TEST(ValueForms, WriteHexInBothCasesAndWithSeparators) {
  EXPECT_THAT(forms("k\xfe/", "hex"),
              ::testing::UnorderedElementsAre("6bfe2f", "6BFE2F", "6b:fe:2f", "6B:FE:2F", "6b fe 2f", "6B FE 2F"));
}

TEST(ValueForms, WriteUrlsAsTheirEncodersDo) {
  EXPECT_THAT(forms("a b/\xc3~", "url"),
              ::testing::UnorderedElementsAre("a%20b%2F%C3~", "a+b%2F%C3~", "%61%20%62%2F%C3%7E", "a%20b%2f%c3~",
                                              "a+b%2f%c3~", "%61%20%62%2f%c3%7e"));
}

TEST(ValueForms, WriteTextAsJsonDoes) {
  EXPECT_THAT(forms("a\"\\/\n\x01", "json"),
              ::testing::UnorderedElementsAre(R"(a\"\\/\n\u0001)", R"(a\"\\\/\n\u0001)"));
  EXPECT_THAT(forms("plain", "json"), ::testing::IsEmpty());  // it is the raw form
}

TEST(ValueForms, WriteBase32OfEachAlignment) {
  // base32 of "foobar", "xfoobar" is MZXW6YTBOI======, PBTG633CMFZA====
  EXPECT_THAT(forms("foobar", "base32"), ::testing::Contains("MZXW6YTBO"));
  EXPECT_THAT(forms("foobar", "base32"), ::testing::Contains("TG633CMFZ"));
}

RC_GTEST_PROP(ValueFormsProperty, EncodersWriteThemWhateverStandsAround, ()) {
  const auto bytes = [](int least, int most) {
    const auto size = *rc::gen::inRange<std::size_t>(static_cast<std::size_t>(least), static_cast<std::size_t>(most));
    const auto drawn = *rc::gen::container<std::vector<int>>(size, rc::gen::resize(100, rc::gen::inRange<int>(0, 256)));
    return std::string(drawn.begin(), drawn.end());
  };
  const std::string value = bytes(4, 40);
  const std::string around = bytes(0, 8) + value + bytes(0, 8);
  const auto stands_in = [&](const std::string& text, std::string_view encoding) {
    return std::ranges::any_of(forms(value, encoding), [&](const std::string& form) { return text.contains(form); });
  };
  RC_ASSERT(stands_in(around, "raw"));
  RC_ASSERT(stands_in(hex_encode(bytes_of(around)), "hex"));
  RC_ASSERT(stands_in(base64_encode(bytes_of(around)), "base64"));
}

}  // namespace
}  // namespace vmcred
