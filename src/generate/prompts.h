// What generators ask: which questions are open, and where their answers come from.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "generate/run.h"

namespace vmcred::generate {

inline constexpr std::size_t kMaxAnswer = 64 * 1024;
inline constexpr std::size_t kMaxAnswersFile = 4 * 1024 * 1024;

/// One open question.
struct Question {
  store::GeneratorId id;
  const declare::Prompt* prompt = nullptr;  ///< borrowed from the declaration
  /// "GENERATOR/PROMPT (machine M)"
  [[nodiscard]] std::string name() const;
};

/// All questions of the steps, in their order.
std::vector<Question> questions(const Graph& graph, const std::vector<Step>& steps);

/// Answers from a file, by "GENERATOR/PROMPT" or "OWNER:GENERATOR/PROMPT" (a machine or a vm).
class AnswerSheet {
 public:
  /// The format, one answer after the other:
  ///
  ///     mail/password = any text to the end of the line
  ///     web:mail/password = for this machine only
  ///     tls/certificate <<END
  ///     several lines, kept as they are
  ///     END
  ///
  /// '#' starts a comment line. Anything else, an answer twice, and a text that is no UTF-8 are `invalid_data` with the
  /// line's number, never its text.
  static Result<AnswerSheet> parse(const Secret& text);

  /// The answer that fits best, or nullptr. Remembers that it was used.
  const Secret* find(const Question& question);
  /// Answers to questions that nobody asked, sorted.
  [[nodiscard]] std::vector<std::string> unused() const;

 private:
  struct Answer {
    Secret value;
    bool used = false;
  };
  std::map<std::string, Answer> answers_;
};

using Ask = std::function<Result<Secret>(const Question&)>;

/// Collects an answer to every question: from the sheet, else from what is stored of a prompt that persists, else by
/// asking. Without `ask` (no terminal) all that is open is named in one error (`unavailable`).
Result<Answers> collect_answers(const std::vector<Question>& open, AnswerSheet& sheet, bool reuse_stored,
                                const store::Repository& repository, const store::KeyRing& keys, const Ask& ask);

/// Whether bytes are UTF-8 (RFC 3629) without control characters other than newline and tab.
bool is_plain_text(std::string_view text);

}  // namespace vmcred::generate
