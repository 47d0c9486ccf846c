#include "base/guardian.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/process.h"
#include "matchers.h"

namespace vmcred {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

Command guarded(const std::string& script) { return {.argv = {"sh", "-c", script}, .guarded = true}; }

TEST(Guardian, EndsAsTheProgramDoes) {
  auto child = spawn(guarded("exit 3"));
  ASSERT_THAT(child, Succeeds());
  EXPECT_EQ(child->wait()->text(), "exit code 3");
  child = spawn(guarded("kill -15 $$"));
  ASSERT_THAT(child, Succeeds());
  EXPECT_EQ(child->wait()->signal, SIGTERM);
}

TEST(Guardian, SaysThatAProgramCannotBeRun) {
  const testing::TestFolder folder;
  const std::string program = folder.write("program", "#!/no/such/interpreter\n");
  ASSERT_EQ(::chmod(program.c_str(), 0700), 0);
  EXPECT_THAT(spawn({.argv = {program}, .guarded = true}), FailsWith(Errc::not_found, HasSubstr(program)));
}

/// Whether whoever holds the other end of this pipe has gone.
bool closes(const Fd& reader) {
  pollfd watched = {.fd = reader.get(), .events = 0, .revents = 0};
  return ::poll(&watched, 1, 60'000) == 1;
}

TEST(Guardian, EndsWhatTheProgramLeftBehindInAnotherSession) {
  auto pipe = make_pipe().value();
  Command command = guarded("setsid sleep 1000 & :");
  command.descriptors = {{9, pipe.second.get()}};
  auto child = spawn(command);
  pipe.second = Fd();
  ASSERT_THAT(child, Succeeds());
  EXPECT_TRUE(child->wait()->ok());
  pollfd watched = {.fd = pipe.first.get(), .events = 0, .revents = 0};
  EXPECT_EQ(::poll(&watched, 1, 0), 1) << "something still runs after the wait";
}

TEST(Guardian, EndsTheProgramAtAnySignal) {
  auto child = spawn(guarded("trap '' TERM; sleep 1000 & sleep 1000"));
  ASSERT_THAT(child, Succeeds());
  child->kill(SIGTERM);
  EXPECT_EQ(child->wait()->signal, SIGKILL);
}

TEST(Guardian, StartsNothingWhereTheProgramCannotBePlaced) {
  auto pipe = make_pipe().value();
  Command command = guarded("sleep 1000");
  command.descriptors = {{9, pipe.second.get()}};
  pid_t placed = 0;
  command.place = [&](pid_t pid) -> Result<> {
    placed = pid;
    return fail(Errc::unavailable, "no place");
  };
  EXPECT_THAT(spawn(command), FailsWith(Errc::unavailable, "no place"));
  pipe.second = Fd();
  EXPECT_GT(placed, 0);
  EXPECT_TRUE(closes(pipe.first));
}

TEST(Guardian, EndsEverythingWhereWeAreKilledAtAnyMoment) {
  // What nobody ends becomes a child of this process, and is waited for.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  for (int moment = 0; moment < 60; ++moment) {
    auto pipe = make_pipe().value();
    const pid_t us = ::fork();
    if (us == 0) {
      Command command = guarded("sleep 1000 & setsid sleep 1000 & wait");
      command.descriptors = {{9, pipe.second.get()}};
      auto child = spawn(command);
      ::pause();
    }
    pipe.second = Fd();
    ::poll(nullptr, 0, moment % 20);
    ::kill(us, SIGKILL);
    ASSERT_TRUE(closes(pipe.first)) << "killed after " << moment % 20 << " ms";
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
  }
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0), 0);
}

}  // namespace
}  // namespace vmcred
