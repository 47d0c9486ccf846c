#include "chain/configuration_text.h"

#include <fmt/format.h>

#include "matchers.h"

namespace vmcred::chain {
namespace {

using ::testing::ElementsAre;

/// "LINE a.b=text" of each value.
std::vector<std::string> shown(const std::vector<Value>& values) {
  std::vector<std::string> all;
  for (const Value& each : values)
    all.push_back(fmt::format("{} {}={}", each.line, fmt::join(each.keys, "."), each.text));
  return all;
}

TEST(Values, OfYamlAndJsonHaveTheirKeysAndLines) {
  EXPECT_THAT(shown(*read_values("a: 1\nb:\n  c: x\n  d:\n  - y\n  - {e: z}\nf: |\n  one\n  two\n")),
              ElementsAre("1 a=1", "3 b.c=x", "5 b.d.[0]=y", "6 b.d.[1].e=z", "7 f=one\ntwo\n"));
  EXPECT_THAT(shown(*read_values("{\"a\": [\"x\", 2],\n \"b\": {\"c\": \"\\u0041\"}}")),
              ElementsAre("1 a.[0]=x", "1 a.[1]=2", "2 b.c=A"));
  EXPECT_THAT(shown(*read_values("[{a: 1}, {a: 2}]")), ElementsAre("1 [0].a=1", "1 [1].a=2"));
  EXPECT_THAT(shown(*read_values("a: &x {b: 1}\nc: *x\nd: 2\n")), ElementsAre("1 a.b=1", "3 d=2"));
  EXPECT_TRUE(read_values("")->empty());
}

TEST(Values, OfJsonMayBeWrittenAsSurrogates) {
  EXPECT_THAT(shown(*read_values(R"({"a": "\ud83d\ude00", "b": "\\\ud83d", "c": "x\ud83dy"})")),
              ElementsAre("1 a=\xF0\x9F\x98\x80", "1 b=\\\uFFFD", "1 c=x\uFFFDy"));
  EXPECT_THAT(shown(*read_values("\n [\"\\u0041\\n\"]")), ElementsAre("2 [0]=A\n"));
}

TEST(Values, AreRefusedWhereThereAreTooMany) {
  EXPECT_FALSE(read_values("{\"a\": "));
  EXPECT_FALSE(read_values(std::string(65, '[') + std::string(65, ']')));
  EXPECT_TRUE(read_values(std::string(60, '[') + std::string(60, ']')));
}

TEST(QemuConfiguration, HasSectionsThatAreThingsOfTheirOwn) {
  EXPECT_THAT(
      shown(read_qemu_configuration("# x\n[smbios]\n  type = \"11\"\n  value=\"a=b\"\r\n[smbios]\nvalue = "
                                    "c\nnothing\n[fw_cfg \"x\"\n name = \"\"\n")),
      ElementsAre("3 smbios#2.type=11", "4 smbios#2.value=a=b", "6 smbios#5.value=c", "9 fw_cfg \"x\"#8.name="));
}

TEST(ShellWords, AreTakenApartAsAShellDoes) {
  EXPECT_THAT(shell_words(R"( a  'b c' "d \"e\" \n" f\ g 'h'"i" '' )"),
              ElementsAre("a", "b c", "d \"e\" \\n", "f g", "hi", ""));
  EXPECT_THAT(shell_words("a \\\n b"), ElementsAre("a", "b"));
  EXPECT_THAT(shell_words("'open"), ElementsAre("open"));
  EXPECT_TRUE(shell_words("  \t\n").empty());
}

}  // namespace
}  // namespace vmcred::chain
