#include "generate/prompts.h"

#include "matchers.h"

namespace vmcred::generate {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::secret;
using testing::Succeeds;

Question question(const declare::Prompt& prompt, std::string machine = "web") {
  return {
      .id = {.placement = {.sharing = declare::Sharing::per_machine, .owner = std::move(machine)}, .generator = "mail"},
      .prompt = &prompt};
}

TEST(AnswerSheet, TakesLinesAndBlocks) {
  const declare::Prompt password{.name = "password"};
  const declare::Prompt key{.name = "key"};
  Result<AnswerSheet> sheet = AnswerSheet::parse(
      secret("# comment\nmail/password = a = b \n\nweb:mail/password=other\nmail/key <<END\n one\n\ntwo\nEND\n"));
  ASSERT_THAT(sheet, Succeeds());
  EXPECT_EQ(sheet->find(question(password))->text(), "other");
  EXPECT_EQ(sheet->find(question(password, "db"))->text(), "a = b");
  EXPECT_EQ(sheet->find(question(key))->text(), " one\n\ntwo\n");
  EXPECT_TRUE(sheet->unused().empty());
}

TEST(AnswerSheet, NamesTheLineButNotItsText) {
  for (const char* text : {"\nhunter2\n", "\nmail/password <<END\nhunter2\n", "mail/p = 1\nmail/p = hunter2\n",
                           "\nmail/p = hunter2\x01\n", "\nmail/p = hunter2\xff\n"}) {
    const Result<AnswerSheet> sheet = AnswerSheet::parse(secret(text));
    ASSERT_FALSE(sheet) << text;
    EXPECT_THAT(sheet.error().message, HasSubstr("line 2"));
    EXPECT_THAT(sheet.error().message, ::testing::Not(HasSubstr("hunter2")));
  }
}

TEST(Answers, ThatNobodyGivesAreNamedAllAtOnce) {
  const testing::TestFolder folder;
  const store::Repository repository = store::Repository::open(folder.path()).value();
  const declare::Prompt one{.name = "one"};
  const declare::Prompt two{.name = "two"};
  AnswerSheet sheet;
  EXPECT_THAT(collect_answers({question(one), question(two)}, sheet, true, repository, {}, {}),
              FailsWith(Errc::unavailable, HasSubstr("mail/one (machine web), mail/two (machine web)")));
}

}  // namespace
}  // namespace vmcred::generate
