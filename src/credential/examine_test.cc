#include "credential/examine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "credential/limits.h"
#include "matchers.h"

namespace vmcred::credential {
namespace {

using ::testing::HasSubstr;

std::string type11(const std::vector<std::string>& strings, char length = 5) {
  std::string raw = {11, length, 0, 0x11, static_cast<char>(strings.size())};
  raw.resize(static_cast<std::size_t>(length));
  for (const std::string& text : strings) raw += text + '\0';
  return raw + '\0';
}

std::vector<SeenString> seen_in(const std::string& raw, int version) {
  // The strings borrow from `raw`, which the callers keep.
  const FoundTable table = read_structures(bytes_of(raw));
  return examine(table.structures, version);
}

TEST(Examine, TellsCredentialsFromOtherStrings) {
  const std::string raw =
      type11({"io.systemd.credential:ENV=test", "io.systemd.credential.binary:KEY=aHVudGVyMg==", "x=y"});
  const auto seen = seen_in(raw, 252);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].kind, Kind::text);
  EXPECT_EQ(seen[0].name, "ENV");
  EXPECT_EQ(seen[0].size, 4U);
  EXPECT_EQ(seen[1].kind, Kind::binary);
  EXPECT_EQ(seen[1].size, 7U);
  EXPECT_EQ(seen[1].fate, Fate::imported);
  EXPECT_EQ(value_in(seen[1])->text(), "hunter2");
  EXPECT_EQ(seen[2].kind, Kind::other);
  EXPECT_EQ(seen[2].fate, Fate::ignored);
}

TEST(Examine, CutsAStructureAtAPageBefore257) {
  // As measured in a systemd 252 guest: four credentials in 4706 bytes arrive as 1500, 1500 and 1017 bytes.
  const auto text = [](char name) { return fmt::format("io.systemd.credential:{}={}", name, std::string(1500, name)); };
  const std::string raw = type11({text('a'), text('b'), text('c'), "io.systemd.credential:e=x"});
  const auto seen = seen_in(raw, 252);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[1].fate, Fate::imported);
  EXPECT_EQ(seen[2].fate, Fate::truncated);
  EXPECT_THAT(seen[2].why, HasSubstr("1017 bytes"));
  EXPECT_EQ(seen[3].fate, Fate::unseen);
  for (const SeenString& s : seen_in(raw, 257)) EXPECT_EQ(s.fate, Fate::imported);
}

TEST(Examine, TellsAlignedFromBrokenBase64) {
  const std::string value = base64_encode(bytes_of(std::string(6000, 'x')));
  const std::string aligned = type11({"io.systemd.credential.binary:ab=" + value});
  ASSERT_EQ((kPageStructure - 5 - 29 - 3) % 4, 3U);
  EXPECT_EQ(seen_in(aligned, 252)[0].fate, Fate::skipped);
  const std::string exact = type11({"io.systemd.credential.binary:a=" + value.substr(0, 4060)});
  EXPECT_EQ(seen_in(exact, 252)[0].fate, Fate::imported);  // only its NUL is on the second page
  const std::string cut = type11({"io.systemd.credential.binary:abcde=" + value});
  ASSERT_EQ((kPageStructure - 5 - 29 - 6) % 4, 0U);
  EXPECT_EQ(seen_in(cut, 252)[0].fate, Fate::truncated);
  EXPECT_THAT(seen_in(cut, 252)[0].why, HasSubstr("3042 bytes"));
}

TEST(Examine, SaysWhyACredentialIsSkipped) {
  const std::string raw = type11({"io.systemd.credential:A=1", "io.systemd.credential:A=2",
                                  "io.systemd.credential:noequals", "io.systemd.credential:a/b=1",
                                  "io.systemd.credential.binary:B=abc", "io.systemd.credential.binary:C=YW Jj\n"});
  const auto seen = seen_in(raw, 252);
  ASSERT_EQ(seen.size(), 6U);
  EXPECT_EQ(seen[0].fate, Fate::imported);
  EXPECT_THAT(seen[1].why, HasSubstr("came before"));
  EXPECT_THAT(seen[2].why, HasSubstr("no '='"));
  EXPECT_THAT(seen[3].why, HasSubstr("not valid"));
  EXPECT_THAT(seen[4].why, HasSubstr("base64"));
  EXPECT_EQ(seen[5].fate, Fate::imported);  // white space is fine
}

TEST(Examine, StopsAtAHeaderOfAnotherLength) {
  const std::string raw = type11({"io.systemd.credential:A=1"}, 6) + type11({"io.systemd.credential:B=1"});
  const auto seen = seen_in(raw, 252);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].fate, Fate::unseen);
  EXPECT_EQ(seen[1].fate, Fate::unseen);
}

TEST(Examine, JudgesFwCfgItems) {
  const auto seen = examine_items({{"b", 3}, {".hidden", 1}, {"a:b", 1}, {"large", kMaxCredential + 1}, {"a", 0}});
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[0].name, ".hidden");
  EXPECT_EQ(seen[0].fate, Fate::skipped);
  EXPECT_EQ(seen[1].name, "a");
  EXPECT_EQ(seen[1].fate, Fate::imported);
  EXPECT_THAT(seen[2].why, HasSubstr("not valid"));
  EXPECT_THAT(seen[4].why, HasSubstr("larger"));
}

TEST(Examine, PrintsForeignBytesSafely) { EXPECT_EQ(printable("a\x1b[m\\\n"), "a\\x1b[m\\\\\\x0a"); }

}  // namespace
}  // namespace vmcred::credential
