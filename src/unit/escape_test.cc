#include "unit/escape.h"

#include "matchers.h"

namespace vmcred::unit {
namespace {

using testing::FailsWith;
using testing::HasSubstr;

TEST(SettingValue, DoublesPercentSignsOnly) {
  EXPECT_EQ(setting_value("/run/vars/50%/a b:c\\d\"e'", "the path"), "/run/vars/50%%/a b:c\\d\"e'");
}

TEST(SettingValue, RefusesWhatALineCannotHold) {
  EXPECT_THAT(setting_value("a\nExecStart=/bin/sh", "the path"),
              FailsWith(Errc::invalid_data, HasSubstr("control character")));
  EXPECT_THAT(setting_value(" a", "the path"), FailsWith(Errc::invalid_data, HasSubstr("the path begins or ends")));
  EXPECT_THAT(setting_value("a\\", "the path"), FailsWith(Errc::invalid_data, HasSubstr("backslash")));
  EXPECT_THAT(setting_value("", "the path"), FailsWith(Errc::invalid_data, HasSubstr("empty")));
}

TEST(CredentialId, DoublesBackslashesToo) { EXPECT_EQ(credential_id("a\\b%i", "the name"), "a\\\\b%%i"); }

TEST(SettingWord, StaysPlainWhereItCan) {
  EXPECT_EQ(setting_word("/etc/vmcred-1.0/a_b@c", Splitting::words, "it"), "/etc/vmcred-1.0/a_b@c");
  EXPECT_EQ(setting_word("/a%b$c", Splitting::words, "it"), "/a%%b$c");
  EXPECT_EQ(setting_word("/a%b$c", Splitting::command, "it"), "/a%%b$$c");
}

TEST(SettingWord, IsQuotedWhereSystemdWouldSplitOrUnescape) {
  EXPECT_EQ(setting_word("/a b", Splitting::words, "it"), "\"/a b\"");
  EXPECT_EQ(setting_word("/a:b", Splitting::words, "it"), "\"/a:b\"");
  EXPECT_EQ(setting_word("/a\"b\\c'", Splitting::command, "it"), R"("/a\"b\\c'")");
  EXPECT_EQ(setting_word("", Splitting::command, "it"), "\"\"");
  EXPECT_THAT(setting_word("a\tb", Splitting::command, "it"), FailsWith(Errc::invalid_data, HasSubstr("it holds")));
}

}  // namespace
}  // namespace vmcred::unit
