// Unit files as systemd 252.39 takes them: what it said of each line was seen with `systemd-analyze verify`.
#include "matchers.h"
#include "unitfile/credential_lines.h"
#include "unitfile/mount_namespace.h"
#include "unitfile/tree.h"

namespace vmcred::unitfile {
namespace {

using namespace std::string_view_literals;
using ::testing::ElementsAre;

std::vector<int> ignored(std::string lines, int systemd = 252) {
  std::vector<int> numbers;
  for (const auto& line :
       credential_lines({{"web.service", "[Service]\n" + std::move(lines)}}, "web.service", systemd).ignored)
    numbers.push_back(line.line - 1);
  return numbers;
}

TEST(UnitFile, EndsLinesWhereSystemdDoes) {
  const auto settings = read_unit("\xEF\xBB\xBF[Service]\rA=1\n\r\nB=2\n\n\rC=3\0D=4"sv);
  ASSERT_EQ(settings.size(), 4U);
  EXPECT_EQ(settings[1].line, 4);
  EXPECT_EQ(settings[2].line, 6);
  EXPECT_EQ(settings[3].key, "D");
  EXPECT_EQ(settings[3].section, "Service");
}

TEST(UnitFile, JoinsLinesAndLeavesCommentsOut) {
  const auto settings = read_unit("[Service]\nA=b \\\n# no \\\n  c\\\nd\nB=x\\\\\nC=y \\ \nD=z\\");
  ASSERT_EQ(settings.size(), 4U);
  EXPECT_EQ(settings[0].value, "b    c d");
  EXPECT_EQ(settings[0].line, 2);
  EXPECT_EQ(settings[1].value, "x\\\\");
  EXPECT_EQ(settings[2].value, "y \\");
  EXPECT_EQ(settings[3].value, "z");
}

TEST(UnitFile, EndsAtABrokenHeaderAndAtWhatIsNoUtf8) {
  EXPECT_EQ(read_unit("[Service]\nA=1\n[Bad\nB=2\n").size(), 1U);
  EXPECT_EQ(read_unit("[Service]\nA=1\n\xFF=x\nB=2\n").size(), 1U);
  EXPECT_EQ(read_unit("[Service]\nA=\xC3\xA9\n=x\nnothing\nB=2\n").size(), 2U);
}

TEST(UnitFile, KnowsWhereATypeHasItsProcesses) {
  EXPECT_EQ(section_of("a.service"), "Service");
  EXPECT_EQ(section_of("a.socket"), "Socket");
  EXPECT_EQ(section_of("socket"), "Socket");  // of "socket.d"
  EXPECT_EQ(section_of("a.timer"), "");
  EXPECT_EQ(section_of("timer"), "");
  EXPECT_EQ(section_of("notes.txt"), "Service");
}

TEST(CredentialLines, AreIgnoredWhereSystemdIgnoresThem) {
  EXPECT_THAT(ignored("LoadCredential=a:/run/x\nLoadCredential=b:/run//x\nLoadCredential=c:/run/./"
                      "x\nLoadCredential=d:../x\nLoadCredential=e\n"
                      "LoadCredential=f\\:x:/run/y\nLoadCredential=g:/x/\nLoadCredential=h:a/b\nLoadCredential=i:/"
                      "a:b\nLoadCredential=:x\n"
                      "LoadCredential=j:\nLoadCredential=k l:/x\nLoadCredential=\"m\":/x\nLoadCredential=n:/a/../b\n"
                      "LoadCredential=a:b:/run/%m\nLoadCredential=o:/" +
                      std::string(256, 'y') + "\nLoadCredential=p:/" + std::string(255, 'y') + "\n"),
              ElementsAre(2, 3, 4, 6, 8, 10, 14, 15, 16));
  EXPECT_THAT(ignored("SetCredential=g:\nSetCredential=h\nSetCredential=i:foo\\q\nSetCredential=j:"
                      "foo\\n\nSetCredentialEncrypted=k:!!\nSetCredentialEncrypted=l:aGVsbG8=\n"),
              ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(ignored("LoadCredential=a:%m\nLoadCredential=%z:/x\nLoadCredential=b:/x%\nLoadCredential=c%-:/"
                      "x\nLoadCredential=d:/x/%D\nLoadCredential=e:/x/%t\n"),
              ElementsAre(2, 5, 6));
}

TEST(CredentialLines, ImportPatternsAsEachVersionTakesThem) {
  const std::string lines =
      "ImportCredential=app*key\nImportCredential=app.*\nImportCredential=*\nImportCredential=a?\nImportCredential=tty."
      "*:x.\nImportCredential=a/b\n";
  EXPECT_THAT(ignored(lines, 255), ElementsAre(1, 4, 5, 6));
  EXPECT_THAT(ignored(lines, 257), ElementsAre(1, 4, 6));
  EXPECT_THAT(ignored("ImportCredential=tty.*:x/y\nImportCredential=tty.*:\n", 262), ElementsAre(1));
}

TEST(CredentialLines, WereReplacedByLaterOnesOfTheirId) {
  const auto found = credential_lines(
      {{"a",
        "[Service]\nLoadCredential=a:/x\nLoadCredential=a:/y\nSetCredential=a:z\n[Install]\nLoadCredential=b:/x\n"}},
      "a.service");
  ASSERT_EQ(found.lines.size(), 2U);
  EXPECT_EQ(found.lines[0].source, "/y");
  EXPECT_TRUE(found.lines[0].replaces);
  EXPECT_FALSE(found.lines[1].replaces);
  EXPECT_EQ(credential_lines({{"a", "[Socket]\nLoadCredential=a:/x\n[Service]\nLoadCredential=b:/x\n"}}, "a.socket")
                .lines.size(),
            1U);
}

TEST(Specifiers, AreThoseOfAUnitName) {
  EXPECT_EQ(expand_specifiers("%n %N %p %i %% %t %j", "a-b@c\\x2dd.service").value_or(""),
            "a-b@c\\x2dd.service a-b@c\\x2dd a-b c\\x2dd % /run b");
  EXPECT_EQ(expand_specifiers("%I", "a@b-c\\x2dd.service").value_or(""), "b/c-d");
  EXPECT_EQ(expand_specifiers("/x/%", "a.service").value_or(""), "/x/%");
  EXPECT_FALSE(expand_specifiers("/x/%m", "a.service"));
  EXPECT_FALSE(expand_specifiers("%t/x", "a.service", Manager::user));
}

TEST(Trees, GiveAUnitItsDropInsInSystemdsOrder) {
  EXPECT_THAT(drop_in_folders("a-b@c.service"), ElementsAre("a-b@c.service.d", "a-b@.service.d", "a-.service.d",
                                                            "a-@c.service.d", "a-@.service.d", "service.d"));
  const std::vector<Folder> folders = {
      {.path = "/etc",
       .files = {"web.service"},
       .drop_ins = {{"web.service.d", {"20.conf", "no.txt"}},
                    {"gone.service.d", {"x.conf"}},
                    {"a-.service.d", {"p.conf"}},
                    {"late.service.d", {"x.conf"}}}},
      {.path = "/usr",
       .files = {"web.service", "a@.service", "late.service"},
       .drop_ins = {{"service.d", {"10.conf", "20.conf"}}, {"a@1.service.d", {"y.conf"}}}}};
  std::vector<std::string> told;
  for (const auto& unit : units_of(folders, ".service")) {
    std::string text = unit.name + " " + unit.fragment;
    for (const auto& file : unit.drop_ins) text += " " + file;
    told.push_back(text);
  }
  EXPECT_THAT(
      told,
      ElementsAre(
          "a@.service /usr/a@.service /usr/service.d/10.conf /usr/service.d/20.conf",
          "a@1.service /usr/a@.service /usr/service.d/10.conf /usr/service.d/20.conf /usr/a@1.service.d/y.conf",
          "gone.service  /usr/service.d/10.conf /usr/service.d/20.conf /etc/gone.service.d/x.conf",
          "late.service /usr/late.service /usr/service.d/10.conf /usr/service.d/20.conf /etc/late.service.d/x.conf",
          "web.service /etc/web.service /usr/service.d/10.conf /etc/web.service.d/20.conf"));
}

TEST(MountNamespaces, AreMadeByWhatMakesThem) {
  const auto makes = [](std::string_view lines, int systemd) {
    return makes_mount_namespace(read_unit("[Service]\n" + std::string(lines)), "a.service", systemd);
  };
  for (const char* yes :
       {"PrivateMounts=yes", "ProtectKernelModules=1", "ProtectKernelLogs=on", "PrivateIPC=t", "ProtectProc=invisible",
        "ProcSubset=pid", "ExecPaths=/", "MountImages=/x:/y", "ExtensionDirectories=/x", "MountFlags=slave",
        "RootImage=/x", "LogNamespace=x", "ProtectSystem=full", "ProtectHome=tmpfs", "DynamicUser=YES"})
    EXPECT_TRUE(makes(yes, 252)) << yes;
  for (const char* no : {"PrivateMounts=no", "PrivateMounts=maybe", "PrivateUsers=yes", "PrivateNetwork=yes",
                         "ProtectHostname=yes", "ProtectProc=default", "PrivatePIDs=yes", "PrivateTmp=disconnected",
                         "BindPaths=/x\nBindPaths=", "ProtectSystem=strict\nProtectSystem=no", "MountFlags=shared",
                         "NoNewPrivileges=yes"})
    EXPECT_FALSE(makes(no, 252)) << no;
  for (const char* yes : {"PrivatePIDs=yes", "PrivateTmp=disconnected", "PrivateNetwork=yes", "RuntimeDirectory=x::ro",
                          "ProtectControlGroups=private"})
    EXPECT_TRUE(makes(yes, 257)) << yes;
  EXPECT_FALSE(makes("PrivateNetwork=yes\nPrivateMounts=no", 257));
  EXPECT_FALSE(makes_mount_namespace(read_unit("[Service]\nPrivateMounts=yes\n"), "a.socket", 257));
}

}  // namespace
}  // namespace vmcred::unitfile
