#include "base/process.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

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
  EXPECT_THAT(run({.argv = {"yes"}}, {.max_output = 1000}),
              FailsWith(Errc::invalid_data, HasSubstr("more than 1000 bytes")));
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
  const auto output =
      run({.argv = {"sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"},
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

TEST(Spawn, LeavesOurSessionWhereItIsToldTo) {
  for (const bool away : {false, true}) {
    auto child = spawn({.argv = {"sleep", "60"}, .new_session = away});
    ASSERT_THAT(child, Succeeds());
    EXPECT_EQ(::getsid(child->pid()), away ? child->pid() : ::getsid(0));
  }
}

TEST(Spawn, FiltersTheCallsOfTheProgram) {
  // Every call is allowed but mkdir (and mkdirat), which answers EDOM.
  std::vector<sock_filter> rules = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const unsigned call : {
#ifdef SYS_mkdir
           static_cast<unsigned>(SYS_mkdir),
#endif
           static_cast<unsigned>(SYS_mkdirat)}) {
    rules.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    rules.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM));
  }
  rules.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const testing::TestFolder folder;
  const auto output = run({.argv = {"mkdir", folder / "new"},
                           .call_filter = std::string(reinterpret_cast<const char*>(rules.data()),
                                                      rules.size() * sizeof rules[0])});  // NOLINT
  ASSERT_THAT(output, Succeeds());
  EXPECT_THAT(output->err, HasSubstr(::strerror(EDOM)));
  EXPECT_FALSE(exists(folder / "new"));
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
