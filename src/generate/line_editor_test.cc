#include "generate/line_editor.h"

#include "matchers.h"

namespace vmcred::generate {
namespace {

using State = LineEditor::State;

/// What comes of some keys and a final Enter (or ctrl-d for several lines).
std::string typed(std::string_view keys, bool multiline = false) {
  LineEditor editor(multiline, 100);
  for (const char key : keys)
    if (editor.feed(static_cast<unsigned char>(key)) != State::typing) return "ended early";
  if (editor.feed(multiline ? 4 : '\r') != State::done) return "did not end";
  return std::string(editor.take().text());
}

TEST(LineEditor, TakesTextWithUmlautsAndEmoji) { EXPECT_EQ(typed("grüße 🔑"), "grüße 🔑"); }
TEST(LineEditor, MovesByWholeCharacters) { EXPECT_EQ(typed("aü\x1b[D\x1b[Dx\x1b[Cy"), "xayü"); }
TEST(LineEditor, DeletesByWholeCharacters) {
  EXPECT_EQ(typed("aü\x7f"), "a");
  EXPECT_EQ(typed("aüb\x1b[D\x1b[D\x1b[3~"), "ab");
}
TEST(LineEditor, KnowsHomeEndAndTheKillKeys) {
  EXPECT_EQ(typed("one two\x01x\x05y"), "xone twoy");
  EXPECT_EQ(typed("one two\x17"), "one ");
  EXPECT_EQ(typed("one two\x15z"), "z");
  EXPECT_EQ(typed("abc\x1b[H\x0b"), "");
}
TEST(LineEditor, APasteDoesNotSendItself) {
  EXPECT_EQ(typed("\x1b[200~first\rsecond\x1b[201~"), "firstsecond");
  EXPECT_EQ(typed("\x1b[200~first\rsecond\r\x1b[201~", true), "first\nsecond\n");
}
TEST(LineEditor, JoinsALineToTheOneAbove) {
  EXPECT_EQ(typed("\x7f"
                  "one\rtwo\x15\x7f"
                  "x\ry",
                  true),
            "onex\ny");
  LineEditor editor(true, 100);
  for (const char key : std::string_view("a\r")) (void)editor.feed(static_cast<unsigned char>(key));
  EXPECT_TRUE(editor.take_new_line());
  (void)editor.feed(0x7f);
  EXPECT_TRUE(editor.take_joined());
  EXPECT_EQ(editor.current_line(), "a");
}
TEST(LineEditor, ControlCharactersAreNoText) {
  LineEditor editor(false, 100);
  EXPECT_EQ(editor.feed(0x16), State::typing);
  EXPECT_TRUE(editor.take_bell());
  EXPECT_EQ(typed("\x1b[200~a\x03z\x1b[201~"), "az");
}
TEST(LineEditor, CtrlCGivesUp) {
  LineEditor editor(false, 100);
  EXPECT_EQ(editor.feed(3), State::given_up);
}
TEST(LineEditor, BrokenUtf8IsRefused) {
  EXPECT_EQ(typed("a\xff"), "a");
  EXPECT_EQ(typed("a\xc3z"), "az");
}
TEST(LineEditor, StopsAtItsCapacity) { EXPECT_EQ(typed(std::string(200, 'a')).size(), 100U); }
TEST(Columns, CountsWideAndCombiningCharacters) { EXPECT_EQ(columns("a漢e\u0301"), 4U); }

}  // namespace
}  // namespace vmcred::generate
