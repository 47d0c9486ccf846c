#include "credential/listing.h"

#include "credential/examine.h"
#include "matchers.h"

namespace vmcred::credential {
namespace {

using ::testing::ElementsAre;

/// "structure.string text" of all OEM strings, and whether the last structure has an end.
std::vector<std::string> shown(std::string_view text) {
  const DmidecodeText read = read_dmidecode_text(text);
  const FoundTable table = read_structures(read.table.bytes());
  std::vector<std::string> all;
  for (const SeenString& seen : examine(table.structures, 257))
    all.push_back(fmt::format("{}.{} {}", seen.structure, seen.number, text_of(seen.text)));
  if (read.cut) all.emplace_back("cut");
  EXPECT_EQ(read.cut, !table.complaint.empty());
  return all;
}

TEST(Dmidecode, ItsTextIsKnownByWhatItBeginsWith) {
  for (const char* text :
       {"# dmidecode 3.4\n", "\n# dmidecode 3.5\n", "Handle 0x0E00, DMI type 11, 5 bytes\nOEM Strings\n",
        "Getting SMBIOS data from sysfs.\nSMBIOS 3.0.0 present.\n\nHandle 0x0E00, DMI type 11, 5 bytes\n",
        "OEM Strings\n\tString 1: x\n", "OEM Strings\r\n\tString 1: x\r\n",
        "SMBIOS 2.8 present.\n\nHandle 0x0E00, DMI type 11, 5 bytes\n",
        "System Information\n\tManufacturer: QEMU\n\nOEM Strings\n\tString 1: x\n"})
    EXPECT_TRUE(is_dmidecode_text(text)) << text;
  for (const char* text : {"", "hello", "SMBIOS is a standard.", "Handle with care", "OEM Strings are vendor strings",
                           "OEM Strings\n", "my OEM Strings\n\tString 1: x\n", "\x0b\x05"})
    EXPECT_FALSE(is_dmidecode_text(text)) << text;
}

TEST(Dmidecode, ShowsTheStringsOfItsType11Structures) {
  EXPECT_THAT(shown("# dmidecode 3.4\nSMBIOS 3.0.0 present.\n\nHandle 0x0100, DMI type 1, 27 bytes\nSystem "
                    "Information\n\tManufacturer: QEMU\n\tString 1: no\n\n"
                    "Handle 0x0E00, DMI type 11, 5 bytes\nOEM Strings\n\tString 1: a: b \n\tString 2: c\n\nHandle "
                    "0x0E01, DMI type 11, 5 bytes\nOEM Strings\n\tString 1: d\n\n"
                    "Handle 0x2000, DMI type 32, 11 bytes\nSystem Boot Information\n\tString 1: no\n\n"),
              ElementsAre("0.1 a: b ", "0.2 c", "1.1 d"));
  EXPECT_THAT(shown("Handle 0x0E00, DMI type 11, 5 bytes\r\nOEM Strings\r\n\tString 1: a\r\n\r\n"),
              ElementsAre("0.1 a"));
  EXPECT_THAT(shown("System Information\n\tString 1: no\n\nOEM Strings\n\tString 1: a\n\tString 2: b\n\nOEM "
                    "Strings\n\tString 1: c\n\nChassis Information\n\tString 1: no\n"),
              ElementsAre("0.1 a", "0.2 b", "1.1 c"));
  EXPECT_THAT(shown("# dmidecode 3.4\n# No SMBIOS nor DMI entry point found, sorry.\n"), ElementsAre());
  EXPECT_THAT(shown("Handle 0x0E00, DMI type 11, 5 bytes\nOEM Strings\n\tString 1: \n\n"), ElementsAre());
}

TEST(Dmidecode, MayShowBytes) {
  const std::string begin =
      "# dmidecode 3.4\n\nHandle 0x0100, DMI type 1, 27 bytes\n\tHeader and Data:\n\t\t01 1B\n\tStrings:\n\t\t78 "
      "00\n\t\tx\n\nHandle 0x1100, DMI type 11, 5 bytes\n"
      "\tHeader and Data:\n\t\t0B 05 00 11 02\n\tStrings:\n";
  EXPECT_THAT(shown(begin + "\t\t61 62 3D\n\t\t41 00\n\t\tab=A\n\t\t63 00\n\t\t63\n\t\t64 00\n\t\td\n\nHandle 0xFEFF, "
                            "DMI type 127, 4 bytes\n\tHeader and Data:\n\t\t7F 04 FF FE\n\n"),
              ElementsAre("0.1 ab=A", "0.2 c", "0.3 d"));
  EXPECT_THAT(shown(begin + "\t\t61 62 3D\n\t\t41 4"), ElementsAre("0.1 ab=", "cut"));
  EXPECT_THAT(shown(begin + "\t\t61 00\n\t\ta\n\t\t62"), ElementsAre("0.1 a", "0.2 b", "cut"));
}

TEST(Dmidecode, MixedWithOtherTextIsReadAsFarAsItGoes) {
  EXPECT_THAT(shown("OEM Strings\n\tString 1: a\n\tStrings:\n\t\t61 62\n\tString 2: c\n\nOEM Strings\n\tString 1: d\n"),
              ElementsAre("0.1 a", "0.2 ab", "0.3 c", "1.1 d"));
}

TEST(Dmidecode, MayShowOneString) {
  EXPECT_THAT(shown("io.systemd.credential:a=b\n"), ElementsAre("0.1 io.systemd.credential:a=b"));
  EXPECT_TRUE(is_dmidecode_text("io.systemd.credential:a=b\n"));
}

TEST(Dmidecode, ThatStopsInAStringWasCut) {
  EXPECT_THAT(shown("OEM Strings\n\tString 1: a\n\tString 2: io.sys"), ElementsAre("0.1 a", "0.2 io.sys", "cut"));
  EXPECT_THAT(shown("OEM Strings\n\tString 1: a\n\tStri"), ElementsAre("0.1 a", "cut"));
  EXPECT_THAT(shown("OEM Strings\n\tString 1: a\n\nChassis Infor"), ElementsAre("0.1 a"));
}

TEST(Dmidecode, MayShowMoreStringsThanAStructureHas) {
  std::string text = "OEM Strings\n";
  for (int i = 1; i <= 300; ++i) text += fmt::format("\tString {}: x{}\n", i, i);
  EXPECT_EQ(shown(text).size(), 300U);
}

TEST(CredentialList, IsReadAsATableAndAsJson) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  const Pairs expected = {{"db key", "5B"}, {"x", "1.0K"}};
  for (const char* text :
       {"NAME   SECURE   SIZE\ndb key secure     5B\nx      weak     1.0K\n",
        "NAME   SECURE   SIZE PATH\ndb key secure     5B /run/credentials/@system/db\nx      insecure 1.0K -\n",
        R"([{"name":"db key","secure":"secure","size":"5B"},{"name":"x","secure":"weak","size":"1.0K"}])",
        "[\n\t{\n\t\t\"name\" : \"db key\",\n\t\t\"size\" : \"5B\"\n\t},{\"name\":\"x\",\"size\":\"1.0K\"}]"}) {
    ASSERT_TRUE(is_credential_list(text)) << text;
    const auto read = read_credential_list(text);
    ASSERT_THAT(read, testing::Succeeds()) << text;
    EXPECT_EQ(*read, expected) << text;
  }
  EXPECT_TRUE(is_credential_list("[ ]\n"));
  EXPECT_EQ(*read_credential_list("[ ]\n"), Pairs());
  EXPECT_EQ(*read_credential_list(R"([{"name":"a","size":5}])"), (Pairs{{"a", "5"}}));
}

TEST(CredentialList, IsRefusedWhereItIsNone) {
  for (const char* text : {"", "{}", "[1]", "NAME\n", "NAMES SECURE SIZE", "hello"})
    EXPECT_FALSE(is_credential_list(text)) << text;
  for (const char* text : {R"([{"name":"a"})", R"([{"name":""}])", R"([{"names":"a","x":"name"}])", R"(["name"])"})
    EXPECT_FALSE(read_credential_list(text)) << text;
}

}  // namespace
}  // namespace vmcred::credential
