#include "generate/redact.h"

#include "matchers.h"

namespace vmcred::generate {
namespace {

using testing::secret;

TEST(Redacted, HidesValuesAndTheirLines) {
  const Secret value = secret("first line\nsecond line");
  EXPECT_EQ(redacted("a first line b\nsecond line", {&value}), "a [hidden] b\n[hidden]");
}

TEST(Redacted, HidesBase64AtEveryAlignmentAndHex) {
  const Secret value = secret("hunter2hunter2");
  // base64 of "xhunter2hunter2" and of "xxhunter2hunter2"
  for (const char* text :
       {"aHVudGVyMmh1bnRlcjI=", "eGh1bnRlcjJodW50ZXIy", "eHhodW50ZXIyaHVudGVyMg==", "68756e7465723268756e74657232"}) {
    EXPECT_THAT(redacted(text, {&value}), ::testing::HasSubstr("[hidden]")) << text;
    EXPECT_THAT(redacted(text, {&value}), ::testing::Not(::testing::HasSubstr("ZXIyaHVud"))) << text;
  }
}

/// What is left of `text`, which shows `value` in one form.
std::string shown(std::string_view value, const std::string& text) {
  const Secret held = secret(value);
  return redacted(text, {&held});
}

// The texts were made by the tools that they name, of kLong.
constexpr std::string_view kLong = "correct horse/battery+staple=44! \"\xc3\xa4\"\\ and some more of it";

TEST(Redacted, HidesWrappedBase64OfBothAlphabets) {
  EXPECT_EQ(
      shown(
          kLong,
          "Y29ycmVjdCBob3JzZS9i\nYXR0ZXJ5K3N0YXBsZT00\nNCEgIsOkIlwgYW5kIHNv\nbWUgbW9yZSBvZiBpdA==\n"),  // base64 -w 20
      "[hidden]");
  EXPECT_EQ(shown("\xfb\xff\xfe\xfb\xff\xfe\xfb", "-__--__--w"), "[hidden]");
  EXPECT_EQ(shown(kLong, R"({"pem": "Y29ycmVjdCBob3Jz\nZS9iYXR0ZXJ5K3N0\n"})"), R"({"pem": "[hidden]\n"})");
}

TEST(Redacted, HidesHexAsDumpsShowIt) {
  EXPECT_EQ(shown("hunter2hunter2", "68756E7465723268756E74657232"), "[hidden]");
  EXPECT_EQ(shown("hunter2hunter2", "68:75:6e:74:65:72:32:68:75:6e:74:65:72:32."), "[hidden].");
  EXPECT_EQ(shown("hunter2hunter2", R"(b'\x68\x75\x6e\x74\x65\x72\x32\x68\x75\x6e\x74\x65\x72\x32')"), "b'[hidden]'");
  EXPECT_EQ(shown("hunter2hunter2", "00000000: 6875 6e74 6572 3268 756e 7465 7232       hunter2hunter2\n"),  // xxd
            "00000000: [hidden]       [hidden]");
  EXPECT_EQ(shown("hunter2hunter2", "0000000 7568 746e 7265 6832 6e75 6574 3272\n000000e\n"),
            "0000000 [hidden]\n000000e");  // hexdump
  EXPECT_EQ(
      shown("hunter2hunter2", "0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0x32, 0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0x32"),
      "0x[hidden]");
}

TEST(Redacted, HidesWhatIsEscaped) {
  EXPECT_EQ(
      shown(kLong, "u=correct%20horse%2Fbattery%2Bstaple%3D44%21%20%22%C3%A4%22%5C%20and%20some%20more%20of%20it&"),
      "u=[hidden]&");
  EXPECT_EQ(shown(kLong, "u=correct+horse%2fbattery%2bstaple=44!+%22%c3%a4%22%5c+and+some+more+of+it&"), "u=[hidden]&");
  EXPECT_EQ(shown(kLong, R"("correct horse\/battery+staple=44! \"\u00e4\"\\ and some more of it")"), "\"[hidden]\"");
  EXPECT_EQ(shown(kLong, R"(correct\ horse/battery+staple=44\!\ \"\303\244\"\\\ and\ some\ more\ of\ it)"), "[hidden]");
  EXPECT_EQ(shown(kLong, "<v>correct horse/battery+staple=44! &quot;&#228;&quot;\\ and some more of it</v>"),
            "<v>[hidden]</v>");
  EXPECT_EQ(shown(kLong, "correct horse/battery+staple=3D44! \"=C3=A4\"\\ and som=\ne more of it"), "[hidden]");
}

TEST(Redacted, HidesBase32AndPiecesOfALongValue) {
  EXPECT_EQ(shown("hunter2hunter2", "NB2W45DFOIZGQ5LOORSXEMQ="), "[hidden]Q=");  // base32
  EXPECT_EQ(shown(kLong, "horse/battery+st"), "[hidden]");
  EXPECT_EQ(shown(kLong, "some more"), "some more");  // as words in any text
}

TEST(Redacted, TakesNoTimeForALargeValue) {
  std::string value;
  for (int i = 0; i < 60'000; ++i) value += fmt::format("{:x}\n", i * 2654435761U);
  EXPECT_EQ(shown(value, std::string(60'000, 'x') + value.substr(1000, 100)), std::string(60'000, 'x') + "[hidden]");
}

TEST(Redacted, LeavesShortValuesAndPlainTextAlone) {
  const Secret value = secret("yes");
  EXPECT_EQ(redacted("yes\n", {&value}), "yes");
}

TEST(Redacted, MakesControlCharactersHarmless) { EXPECT_EQ(redacted("\x1b[31mred", {}), "?[31mred"); }

TEST(Redacted, KeepsTheLastLines) { EXPECT_EQ(redacted("1\n2\n3\n", {}, 2), "…\n2\n3"); }

}  // namespace
}  // namespace vmcred::generate
