#include "base/process.h"

#include <signal.h>

#include "base/file.h"
#include "matchers.h"

namespace vmcred {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

TEST(Run, GivesOutputErrorsAndStatusApart) {
  const auto output = run({.argv = {"sh", "-c", "cat; echo no >&2; exit 3"}}, {.input = "hello"});
  ASSERT_THAT(output, Succeeds());
  EXPECT_EQ(output->out, "hello");
  EXPECT_EQ(output->err, "no\n");
  EXPECT_EQ(output->status.text(), "exit code 3");
}

TEST(Run, NamesAProgramThatIsNotThere) {
  EXPECT_THAT(run({.argv = {"no-such-program"}}), FailsWith(Errc::not_found, "run 'no-such-program': no such program"));
}

TEST(Run, EndsWhatTakesTooLong) {
  EXPECT_THAT(run({.argv = {"sleep", "60"}}, {.limit = std::chrono::milliseconds(30)}),
              FailsWith(Errc::unavailable, HasSubstr("did not end within 30 ms")));
}

TEST(Run, RefusesEndlessOutput) {
  EXPECT_THAT(run({.argv = {"yes"}}, {.max_output = 1000}), FailsWith(Errc::invalid_data, HasSubstr("more than 1000 bytes")));
}

TEST(Run, BearsAProgramThatDoesNotReadItsInput) {
  const std::string input(1'000'000, 'x');
  const auto output = run({.argv = {"/bin/sh", "-c", "exec <&-; echo done"}}, {.input = input});
  ASSERT_THAT(output, Succeeds());
  EXPECT_EQ(output->out, "done\n");
}

TEST(Spawn, GivesTheChildExactlyTheDescriptorsOfTheMap) {
  auto left = make_pipe().value();
  auto right = make_pipe().value();
  // Crossed on purpose: each source may be the other one's target number.
  const auto output = run({.argv = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"},
                           .environment = std::vector<std::string>{"PATH=/usr/bin:/bin"},
                           .descriptors = {{left.second.get(), right.second.get()}, {right.second.get(), left.second.get()}}});
  ASSERT_THAT(output, Succeeds());
  std::vector<int> wanted = {0, 1, 2, left.second.get(), right.second.get()};
  std::string text;
  for (const int number : wanted) text += std::to_string(number) + " ";
  // ls has one descriptor of its own for the folder: the lowest free number.
  EXPECT_THAT(output->out, ::testing::AnyOf(text, HasSubstr("0 1 2 ")));
  EXPECT_EQ(std::count(output->out.begin(), output->out.end(), ' '), 6);
}

TEST(Spawn, GivesTheChildTheEnvironmentItWasTold) {
  ::setenv("VMCRED_CANARY", "x", 1);  // NOLINT(concurrency-mt-unsafe)
  const auto output = run({.argv = {"env"}, .environment = std::vector<std::string>{"ONLY=this"}});
  ASSERT_THAT(output, Succeeds());
  EXPECT_EQ(output->out, "ONLY=this\n");
}

TEST(Child, IsKilledWithItsOwner) {
  pid_t pid = 0;
  {
    const auto child = spawn({.argv = {"sleep", "60"}});
    ASSERT_THAT(child, Succeeds());
    pid = child->pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(RunForSecret, ReadsOutput) {
  const auto result = run_for_secret({.argv = {"printf", "hunter2"}}, 100);
  ASSERT_THAT(result, Succeeds());
  EXPECT_EQ(result->second.text(), "hunter2");
}

}  // namespace
}  // namespace vmcred
