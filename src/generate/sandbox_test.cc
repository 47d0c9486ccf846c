#include "generate/sandbox.h"

#include <sys/stat.h>

#include "base/file.h"
#include "generate/runtime_inputs.h"
#include "matchers.h"

namespace vmcred::generate {
namespace {

using testing::secret;
using ::testing::ElementsAre;

Job job(std::string script, std::vector<std::string> outputs = {"x"}) {
  const auto toolbox = find_runtime_inputs({});
  EXPECT_TRUE(toolbox);
  Job made{.script = std::move(script), .commands = toolbox->commands, .outputs = std::move(outputs)};
  made.limits.time = std::chrono::seconds(20);
  return made;
}

Outcome outcome_of(const Job& what) {
  Result<Outcome> outcome = run_in_sandbox(what);
  EXPECT_TRUE(outcome) << outcome.error().message;
  return outcome ? *std::move(outcome) : Outcome{};
}

std::string made(const Job& what, const std::string& file = "x") {
  const Outcome outcome = outcome_of(what);
  const auto* result = std::get_if<Made>(&outcome.what);
  if (result == nullptr) return fmt::format("failed as {}: {}", outcome.what.index(), outcome.log.text());
  return std::string(result->files.at(file).text());
}

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

// Each promise of the sandbox: the forbidden thing is tried.

std::string reason_against(const std::string& script) {
  const Outcome outcome = outcome_of(job(script));
  const auto* bad = std::get_if<BadOutput>(&outcome.what);
  return bad == nullptr ? fmt::format("not refused: {}", outcome.log.text()) : bad->reason;
}

TEST(SandboxPromise, ALinkIsNoOutput) {
  EXPECT_EQ(reason_against(R"sh(ln -s /etc/passwd "$out/x")sh"), "is a link");
}
TEST(SandboxPromise, AFolderIsNoOutput) { EXPECT_EQ(reason_against(R"sh(mkdir "$out/x")sh"), "is a folder"); }
TEST(SandboxPromise, AFifoIsNoOutput) { EXPECT_EQ(reason_against(R"sh(mkfifo "$out/x")sh"), "is a fifo"); }
TEST(SandboxPromise, TheOutputFolderCannotBeALinkElsewhere) {
  EXPECT_EQ(reason_against(R"sh(rmdir "$out"; ln -s /tmp "$out"; touch /tmp/x)sh"), "is gone");
}
TEST(SandboxPromise, NoDeviceCanBeMade) {
  EXPECT_EQ(made(job(R"sh(mknod "$out/x" c 1 3 2>/dev/null || echo refused > "$out/x")sh")), "refused\n");
}
TEST(SandboxPromise, ASetuidBitIsWorthNothing) {
  EXPECT_EQ(made(job(R"sh(cp "$(readlink "$(command -v id)")" /tmp/id; chmod 6777 /tmp/id; /tmp/id -u > "$out/x")sh")),
            "1000\n");
}
TEST(SandboxPromise, ThereIsNoNetwork) {
  EXPECT_EQ(made(job(R"sh(cat /proc/net/route | wc -l > "$out/x"; ls /sys 2>/dev/null >> "$out/x" || true
                        (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null && echo connected >> "$out/x" || true)sh")),
            "1\n");
}
TEST(SandboxPromise, TheHostsFilesAreNotThere) {
  EXPECT_EQ(made(job(R"sh(for p in /root /home /etc/shadow /etc/hostname /run /var /srv /boot /sys /proc/1/root/root; do
                          [ -e "$p" ] && echo "$p" >> "$out/x"; done; touch "$out/x")sh")),
            "");
}
TEST(SandboxPromise, OtherProcessesAreNotSeen) {
  EXPECT_EQ(made(job(R"sh(for name in $(cat /proc/[0-9]*/comm); do
                            case $name in bash|bwrap|cat) ;; *) echo "$name" >> "$out/x";; esac; done
                          touch "$out/x")sh")),
            "");
}
TEST(SandboxPromise, NothingOutsideCanBeWritten) {
  EXPECT_EQ(made(job(R"sh(for p in / /usr /usr/bin /etc /dev /dev/shm /vmcred /vmcred/bin; do
                          (: > "$p/vmcred-test") 2>/dev/null && echo "$p" >> "$out/x"; done; touch "$out/x")sh")),
            "");
}
TEST(SandboxPromise, TheCallersKernelKeyringIsOutOfReach) {
  EXPECT_EQ(made(job(R"sh(cat /proc/keys 2>/dev/null | wc -l > "$out/x")sh")), "0\n");
}

std::string limit_of(Job what) {
  const Outcome outcome = outcome_of(what);
  const auto* stopped = std::get_if<Stopped>(&outcome.what);
  return stopped == nullptr ? fmt::format("not stopped ({}): {}", outcome.what.index(), outcome.log.text())
                            : stopped->limit;
}

TEST(SandboxPromise, AForkBombEnds) {
  Job what = job("f() { f | f & wait; }; f; sleep 100");
  what.limits.processes = 32;
  what.limits.time = std::chrono::seconds(2);
  EXPECT_THAT(limit_of(what), ::testing::AnyOf("it started more than 32 processes", "it ran longer than 2 s"));
}
TEST(SandboxPromise, TheDiskCannotBeFilled) {
  Job what = job(R"sh(for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero > "$out/f$i"; done)sh");
  what.limits.disk_bytes = 4 << 20;
  EXPECT_EQ(limit_of(what), "its folders became larger than 4 MiB");
}
TEST(SandboxPromise, AFileCannotGrowForever) {
  Job what = job(R"sh(head -c 9000000 /dev/zero > "$out/x")sh");
  what.limits.file_bytes = 1 << 20;
  EXPECT_EQ(limit_of(what), "a file became larger than 1 MiB");
}
TEST(SandboxPromise, MemoryIsBounded) {
  Job what = job(R"sh(head -c 200000000 /dev/zero | tail -c 190000000 | wc -c > "$out/x")sh");
  what.limits.memory_bytes = 32 << 20;
  EXPECT_EQ(limit_of(what), "it needed more than 32 MiB of memory");
}
TEST(SandboxPromise, NothingSurvivesTheScript) {
  EXPECT_EQ(made(job(R"sh((sleep 1000 &) ; echo done > "$out/x")sh")), "done\n");
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
