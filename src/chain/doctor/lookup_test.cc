// systemd's lookup against a root of our own: every way to find a credential, and every way to miss it.
#include "chain/doctor/lookup.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/fd.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::chain::doctor {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::TestFolder;

std::vector<std::string> told(const std::vector<CredentialLine>& lines) {
  std::vector<std::string> texts;
  for (const auto& line : lines)
    texts.push_back(fmt::format("{}={} {}", setting_name(line.kind), line.id, line.source));
  return texts;
}

CredentialLines lines_of(std::string text, std::string_view unit = "microvm@web.service") {
  return unitfile::credential_lines({{"/etc/systemd/system/x.service", std::move(text)}}, unit);
}

TEST(CredentialLines, AreTheLastOfEachIdAcrossPlainAndEncrypted) {
  const auto found = lines_of(
      "[Service]\nLoadCredential=a:/one\nLoadCredential=b\nLoadCredentialEncrypted=a:/"
      "two\nSetCredential=a:text\n[Install]\nLoadCredential=c:/x\n");
  EXPECT_THAT(told(found.lines),
              ElementsAre("LoadCredential=b b", "LoadCredentialEncrypted=a /two", "SetCredential=a "));
  EXPECT_EQ(found.lines.front().line, 3);
}

TEST(CredentialLines, AnEmptyAssignmentResetsItsTableAlone) {
  const auto found = lines_of(
      "[Service]\nLoadCredential=a:/"
      "one\nSetCredential=s:1\nImportCredential=x*\nLoadCredentialEncrypted=\nLoadCredential=b:/two\n");
  EXPECT_THAT(told(found.lines), ElementsAre("SetCredential=s ", "ImportCredential=x* x*", "LoadCredential=b /two"));
}

TEST(CredentialLines, WhatSystemdIgnoresIsSaidWithoutValues) {
  const auto found = lines_of(
      "[Service]\nLoadCredential=a/b:/one\nLoadCredential=a:relative/path\nLoadCredential=a:/one/../"
      "two\nSetCredential=:hunter2\nSetCredential=a:\nImportCredential=a?b\n");
  EXPECT_TRUE(found.lines.empty());
  ASSERT_EQ(found.ignored.size(), 6u);
  for (const auto& line : found.ignored) EXPECT_EQ(line.source.find("hunter2"), std::string::npos);
}

TEST(CredentialLines, ADropInAddsToItsUnit) {
  const auto found =
      unitfile::credential_lines({{"/u/microvm@.service", "[Service]\nLoadCredential=%i-a:/srv/%I\n"},
                                  {"/u/microvm@web.service.d/50.conf", "[Service]\nLoadCredential=b:/b\n"}},
                                 "microvm@web-x.service");
  EXPECT_THAT(told(found.lines), ElementsAre("LoadCredential=web-x-a /srv/web/x", "LoadCredential=b /b"));
  EXPECT_EQ(found.lines.back().file, "/u/microvm@web.service.d/50.conf");
}

/// A machine: its files below a folder, and what `systemd-creds decrypt` would do.
struct Machine {
  TestFolder root;
  int decrypts = 0;  ///< its exit code
  std::vector<std::vector<std::string>> ran = {};
  Looked look(const std::string& setting, int systemd = 252, std::string_view unit = "microvm@web.service") {
    const Doors doors = {.root = root.path(), .run = [this](const std::vector<std::string>& argv) -> Result<Output> {
                           ran.push_back(argv);
                           return Output{
                               .status = {.code = decrypts},
                               .out = {},
                               .err = decrypts == 0 ? "" : "Embedded credential name 'x' does not match.\nmore\n"};
                         }};
    const auto lines = lines_of("[Service]\n" + setting + "\n", unit);
    EXPECT_TRUE(lines.ignored.empty());
    return look_up(doors, unit, systemd, lines.lines).at(0);
  }
};

TEST(Lookup, AnAbsolutePathThatIsThereIsFound) {
  Machine machine;
  machine.root.write("srv/key", "12345");
  const Looked looked = machine.look("LoadCredential=a:/srv/key");
  EXPECT_EQ(looked.outcome, Outcome::found);
  EXPECT_EQ(looked.bytes, 5u);
}

TEST(Lookup, AMissingAbsolutePathIsFatalAndItsFirstMissingPartIsNamed) {
  Machine machine;
  machine.root.write("run/vmcred/x", "");
  const Looked looked = machine.look("LoadCredential=a:/run/vmcred/vars/per-machine/m/g/a");
  EXPECT_EQ(looked.outcome, Outcome::fatal);
  EXPECT_EQ(looked.why, "no such file or directory (ENOENT)");
  EXPECT_THAT(looked.hint, HasSubstr("vmcred activate"));
  EXPECT_THAT(looked.steps, ElementsAre(_, "there is no '/run/vmcred/vars'"));
}

TEST(Lookup, ALinkThatLeadsNowhereIsNamed) {
  Machine machine;
  machine.root.write("run/vmcred/x", "");
  ASSERT_EQ(::symlink("../vmcred.d/3", (machine.root / "run/vmcred/vars").c_str()), 0);
  EXPECT_THAT(machine.look("LoadCredential=a:/run/vmcred/vars/g/a").steps,
              ElementsAre(_, "'/run/vmcred/vars' is a link to '../vmcred.d/3', which is not there"));
}

TEST(Lookup, SetCredentialStepsInForAMissingFileAlone) {
  Machine machine;
  EXPECT_EQ(machine.look("LoadCredential=a:/nowhere\nSetCredential=a:text").outcome, Outcome::fallback);
  EXPECT_EQ(machine.look("LoadCredential=a:/nowhere\nSetCredential=b:text").outcome, Outcome::fatal);
  machine.root.write("file", "");
  const Looked through = machine.look("LoadCredential=a:/file/x\nSetCredential=a:text");
  EXPECT_EQ(through.outcome, Outcome::fatal);
  EXPECT_EQ(through.why, "not a directory (ENOTDIR)");
}

TEST(Lookup, ARelativeNameIsLookedForInSystemdsOrder) {
  Machine machine;
  machine.root.write("usr/lib/credstore/a", "lib");
  EXPECT_EQ(machine.look("LoadCredential=a").path, "/usr/lib/credstore/a");
  machine.root.write("run/credstore/a", "run");
  EXPECT_EQ(machine.look("LoadCredential=x:a").path, "/run/credstore/a");
  machine.root.write("etc/credstore/a", "etc");
  EXPECT_EQ(machine.look("LoadCredential=a").path, "/etc/credstore/a");
  machine.root.write("run/credentials/@system/a", "received");
  EXPECT_EQ(machine.look("LoadCredential=a").path, "/run/credentials/@system/a");
}

TEST(Lookup, ARelativeNameThatIsNowhereIsLeftOutSilently) {
  Machine machine;
  const Looked looked = machine.look("LoadCredential=a:b");
  EXPECT_EQ(looked.outcome, Outcome::absent);
  EXPECT_EQ(looked.steps.size(), 5u);
  EXPECT_EQ(machine.look("LoadCredential=a", 257).steps.size(), 10u);  // encrypted folders too
  EXPECT_EQ(machine.look("ImportCredential=web.*", 257).outcome, Outcome::absent);
}

TEST(Lookup, ImportTakesWhatItsPatternMatches) {
  Machine machine;
  machine.root.write("etc/credstore/web.a", "12345");
  machine.root.write("etc/credstore/other", "1");
  const Looked looked = machine.look("ImportCredential=web.*", 257);
  EXPECT_EQ(looked.outcome, Outcome::found);
  EXPECT_EQ(looked.bytes, 10u);  // with its name
}

TEST(Lookup, MoreThanAMebibyteIsFatal) {
  Machine machine;
  machine.root.write("fits", std::string(1024 * 1024, 'x'));
  machine.root.write("large", std::string(1024 * 1024 + 1, 'x'));
  EXPECT_EQ(machine.look("LoadCredential=a:/fits").outcome, Outcome::found);
  const Looked looked = machine.look("LoadCredential=a:/large");
  EXPECT_EQ(looked.outcome, Outcome::fatal);
  EXPECT_THAT(looked.why, HasSubstr("1048577 bytes"));
  EXPECT_EQ(machine.look("LoadCredentialEncrypted=a:/large").outcome,
            Outcome::found);  // 128 KiB more for what encryption adds
}

TEST(Lookup, AnEncryptedFileIsTriedAndTheFirstLineSaysWhy) {
  Machine machine;
  machine.root.write("etc/credstore.encrypted/a", "blob");
  EXPECT_EQ(machine.look("LoadCredentialEncrypted=a").outcome, Outcome::found);
  ASSERT_EQ(machine.ran.size(), 1u);
  EXPECT_THAT(machine.ran[0], ElementsAre("systemd-creds", "decrypt", "--name=a",
                                          machine.root / "etc/credstore.encrypted/a", "/dev/null"));
  machine.decrypts = 1;
  const Looked looked = machine.look("LoadCredentialEncrypted=a");
  EXPECT_EQ(looked.outcome, Outcome::fatal);
  EXPECT_EQ(looked.why, "it cannot be decrypted: Embedded credential name 'x' does not match.");
}

TEST(Lookup, AFolderGivesEachFileOfItAndRefusesSockets) {
  Machine machine;
  machine.root.write("dir/a", "123");
  machine.root.write("dir/sub/b", "45");
  ASSERT_EQ(::symlink("a", (machine.root / "dir/link").c_str()), 0);
  EXPECT_EQ(machine.look("LoadCredential=d:/dir").bytes, 5u);
  machine.root.write("dir/a:b", "");
  EXPECT_THAT(machine.look("LoadCredential=d:/dir").why, HasSubstr("'d_a:b' is no name of a credential"));
}

TEST(Lookup, SocketsNeedAListenerAndShortNames) {
  Machine machine;
  const std::string path = machine.root / "s";
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);  // NOLINT
  machine.root.write(
      "proc/net/unix",
      "Num RefCount Protocol Flags Type St Inode Path\n0: 00000002 00000000 00010000 0001 01 17 /run/other\n");
  const Looked dead = machine.look("LoadCredential=a:/s");
  EXPECT_EQ(dead.outcome, Outcome::fatal);
  EXPECT_THAT(dead.why, HasSubstr("ECONNREFUSED"));
  machine.root.write("proc/net/unix", "0: 00000002 00000000 00010000 0001 01 17 /s\n");
  EXPECT_EQ(machine.look("LoadCredential=a:/s").outcome, Outcome::found);
  const std::string unit = "microvm@" + std::string(50, 'x') + ".service";  // 66 bytes
  EXPECT_EQ(machine.look("LoadCredential=" + std::string(17, 'a') + ":/s", 252, unit).outcome, Outcome::found);
  EXPECT_THAT(machine.look("LoadCredential=" + std::string(18, 'a') + ":/s", 252, unit).why,
              HasSubstr("84 bytes together, 83 at most"));
}

TEST(Listens, OnlyTheSocketThatWaitsAndOnlyItsWholePath) {
  EXPECT_TRUE(listens("0: 2 0 00010000 0001 01 17 /run/s\n", "/run/s"));
  EXPECT_FALSE(listens("0: 3 0 00000000 0001 03 17 /run/s\n", "/run/s"));
  EXPECT_FALSE(listens("0: 2 0 00010000 0001 01 17 /x/run/s\n", "/run/s"));
  EXPECT_FALSE(listens("", "/run/s"));
}

}  // namespace
}  // namespace vmcred::chain::doctor
