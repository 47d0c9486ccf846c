#include "base/foreign_text.h"

#include "matchers.h"

namespace vmcred {
namespace {

TEST(ForeignText, LetsTextThroughAndNoControls) {
  EXPECT_EQ(printable("a\tb\nü€😀"), "a\tb\nü€😀");
  EXPECT_EQ(printable("\x1b[31m"), "?[31m");
  EXPECT_EQ(printable("\xc2\x9b\xff\xed\xa0\x80\xc0\x80"), std::string(8, '?'));
  EXPECT_EQ(printable("\xe2\x82"), "??");
  EXPECT_EQ(printable("\u202egpj.exe\u2066"), "???gpj.exe???");
}

TEST(ForeignText, StaysInItsLine) {
  EXPECT_EQ(one_line("ok\n  proof: every credential arrived\r\n\tx"), "ok?  proof: every credential arrived???x");
  EXPECT_EQ(one_line("a\u2028b\u2029c\u0085d"), "a???b???c??d");
}

}  // namespace
}  // namespace vmcred
