// Any text is a sheet of answers or refused. The same bytes as keys: the line editor gives plain UTF-8 and stays in
// bounds.
// links: vmcred_generate
#include <cstdlib>

#include "deepen.h"
#include "generate/line_editor.h"
#include "generate/prompts.h"

namespace {

void type(std::string_view keys, bool multiline) {
  using vmcred::generate::LineEditor;
  LineEditor editor(multiline, 100);
  for (const char key : keys) {
    if (editor.feed(static_cast<unsigned char>(key)) != LineEditor::State::typing) break;
    if (editor.cursor_in_line() > editor.current_line().size()) std::abort();
    (void)vmcred::generate::columns(editor.current_line());
  }
  const vmcred::Secret answer = editor.take();
  if (answer.size() > 100 || (!multiline && answer.text().contains('\n'))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  (void)vmcred::generate::AnswerSheet::parse(vmcred::Secret::copy_of(text));
  type(text, false);
  type(text, true);
  return 0;
}
