#include "generate/unused_user.h"
#include "trial_sandbox.h"

namespace vmcred::generate {
namespace {

using ::testing::ElementsAre;
using testing::secret;

TEST(Sandbox, GivesWhatTheScriptMadeByteForByte) {
  EXPECT_EQ(made(job(R"sh(printf 'a\0b\n' > "$out/x"; chmod 400 "$out"/*)sh")), std::string("a\0b\n", 4));
}

TEST(Sandbox, ShowsInputsBelowInAndPrompts) {
  const Secret key = secret("the key");
  const Secret answer = secret("an answer");
  Job what = job(R"sh(cat "$in/base/key" "$prompts/name" > "$out/x")sh");
  what.inputs = {{.path = "in/base/key", .value = key.bytes()}, {.path = "prompts/name", .value = answer.bytes()}};
  EXPECT_EQ(made(what), "the keyan answer");
}

TEST(Sandbox, GivesOnlyItsOwnEnvironment) {
  ::setenv("VMCRED_TEST_LEAK", "leak", 1);
  EXPECT_EQ(made(job(R"sh(env | cut -d= -f1 | sort | tr '\n' ' ' > "$out/x")sh")),
            "HOME LANG OLDPWD PATH PWD SHLVL TMPDIR _ in out prompts ");
  ::unsetenv("VMCRED_TEST_LEAK");
}

TEST(Sandbox, TellsAFailedScriptWithItsWords) {
  const Outcome outcome = outcome_of(job("echo before; echo trouble >&2; false; echo after"));
  const auto* failed = std::get_if<ScriptFailed>(&outcome.what);
  ASSERT_NE(failed, nullptr);
  EXPECT_EQ(failed->status.code, 1);
  EXPECT_EQ(outcome.log.text(), "before\ntrouble\n");
}

TEST(Sandbox, StopsAtTheTimeLimit) {
  Job what = job("sleep 1000 & sleep 1000");
  what.limits.time = std::chrono::milliseconds(300);
  const Outcome outcome = outcome_of(what);
  const auto* stopped = std::get_if<Stopped>(&outcome.what);
  ASSERT_NE(stopped, nullptr);
  EXPECT_EQ(stopped->limit, "it ran longer than 300 ms");
}

TEST(Sandbox, NamesAFileThatWasNotMade) {
  const Outcome outcome = outcome_of(job("true"));
  const auto* bad = std::get_if<BadOutput>(&outcome.what);
  ASSERT_NE(bad, nullptr);
  EXPECT_EQ(bad->file + " " + bad->reason, "x was not made");
}

TEST(Sandbox, NamesFilesThatWereNotDeclared) {
  const Outcome outcome = outcome_of(job(R"sh(touch "$out/x" "$out/more")sh"));
  const auto* result = std::get_if<Made>(&outcome.what);
  ASSERT_NE(result, nullptr);
  EXPECT_THAT(result->undeclared, ElementsAre("more"));
}

TEST(UnusedUser, IsTakenOnlyWhereTheNamespaceKnowsHim) {
  EXPECT_TRUE(maps_users("         0          0 4294967295\n", 1879048192, 1U << 27U));
  EXPECT_FALSE(maps_users("         0       1000          1\n", 1879048192, 1U << 27U));
  EXPECT_FALSE(maps_users("0 1000 1\n1 100000 65536\n", 1879048192, 1U << 27U));
  EXPECT_FALSE(maps_users("", 1879048192, 1U << 27U));
}

TEST(WithoutSandbox, RunsWithACleanEnvironment) {
  ::setenv("VMCRED_TEST_LEAK", "leak", 1);
  const Result<Outcome> outcome = run_without_sandbox(job(R"sh(echo "${VMCRED_TEST_LEAK-none}" > "$out/x")sh"));
  ::unsetenv("VMCRED_TEST_LEAK");
  ASSERT_THAT(outcome, testing::Succeeds());
  const auto* result = std::get_if<Made>(&outcome->what);
  ASSERT_NE(result, nullptr) << outcome->log.text();
  EXPECT_EQ(result->files.at("x").text(), "none\n");
}

}  // namespace
}  // namespace vmcred::generate
