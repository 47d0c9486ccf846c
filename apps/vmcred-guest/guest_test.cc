// The parts of the guest tool that need no guest.
#include <unistd.h>

#include <algorithm>

#include "arguments.h"
#include "base/systemd_bus.h"
#include "consumers.h"
#include "credentials.h"
#include "matchers.h"
#include "port.h"
#include "set_store.h"
#include "sources.h"
#include "systemd_json.h"

namespace vmcred::guest {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Succeeds;
using testing::TestFolder;

Result<Arguments> parse(std::vector<std::string> words) {
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  constexpr std::string_view kKnown[] = {"--system", "--json="};
  return parse_arguments(pointers, kKnown);
}

TEST(Arguments, AreSwitchesValuesAndWords) {
  const auto given = parse({"--system", "--json=short", "a", "--json", "pretty", "--", "--b"});
  ASSERT_THAT(given, Succeeds());
  EXPECT_TRUE(given->has("--system"));
  EXPECT_EQ(given->value("--json"), "pretty");
  EXPECT_THAT(given->words, ElementsAre("a", "--b"));
}

TEST(Arguments, UnknownOptionsAndMissingValuesAreUsage) {
  EXPECT_THAT(parse({"--sytem"}), FailsWith(Errc::usage, HasSubstr("'--sytem'")));
  EXPECT_THAT(parse({"--json"}), FailsWith(Errc::usage, HasSubstr("needs a value")));
  EXPECT_THAT(parse({"--system=yes"}), FailsWith(Errc::usage, _));
}

TEST(CredentialName, IsWhatSystemdTakes) {
  for (const char* good : {"a", "API_KEY", ".hidden", "with space", "ssh.authorized_keys.root", "a=b"})
    EXPECT_TRUE(is_credential_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "a:b", "\xc3\xbc", "a\n"}) EXPECT_FALSE(is_credential_name(bad)) << bad;
  EXPECT_TRUE(is_credential_name(std::string(255, 'a')));
  EXPECT_FALSE(is_credential_name(std::string(256, 'a')));
}

TEST(SizeText, IsAsSystemdWritesIt) {
  EXPECT_EQ(size_text(0), "0B");
  EXPECT_EQ(size_text(1023), "1023B");
  EXPECT_EQ(size_text(1024), "1.0K");
  EXPECT_EQ(size_text(3000), "2.9K");
  EXPECT_EQ(size_text(100000), "97.6K");
  EXPECT_EQ(size_text(1024 * 1024), "1.0M");
}

TEST(Type11, GivesTextAndBinaryCredentialsInOrder) {
  using namespace std::string_literals;
  const std::string raw = "\x0b\x05\0\x11\x03"s + "io.systemd.credential:A=one=1\0"s + "other:B=x\0"s +
                          "io.systemd.credential.binary:C=aHVudGVyMg==\0\0"s;
  Offers offers;
  read_type11(bytes_of(raw), "SMBIOS structure 11-0", offers);
  ASSERT_EQ(offers.offered.size(), 2u);
  EXPECT_EQ(offers.offered[0].name, "A");
  EXPECT_EQ(offers.offered[0].value.text(), "one=1");
  EXPECT_EQ(offers.offered[1].value.text(), "hunter2");
  EXPECT_TRUE(offers.notices.empty());
}

TEST(Type11, SaysWhatItSkipsWithoutTheValue) {
  using namespace std::string_literals;
  const std::string raw = "\x0b\x05\0\x11\x03"s + "io.systemd.credential:hunter2\0"s +
                          "io.systemd.credential:a/b=hunter2\0"s + "io.systemd.credential.binary:C=hunter2\0\0"s;
  Offers offers;
  read_type11(bytes_of(raw), "SMBIOS structure 11-0", offers);
  EXPECT_TRUE(offers.offered.empty());
  ASSERT_EQ(offers.notices.size(), 3u);
  for (const auto& notice : offers.notices) EXPECT_THAT(notice, Not(HasSubstr("hunter2")));
  Offers none;
  read_type11(bytes_of("\x01\x05xyz"), "SMBIOS structure 11-0", none);
  EXPECT_EQ(none.notices.size(), 1u);
}

TEST(Table, GivesTheTypeElevenStructuresAmongOthers) {
  using namespace std::string_literals;
  const std::string table = "\x01\x05\0\x01\x01vendor\0\0"s + "\x20\x04\0\x02\0\0"s +
                            "\x0b\x05\0\x11\x01io.systemd.credential:A=1\0\0"s +
                            "\x0b\x05\0\x12\x01io.systemd.credential:B=2\0\0"s + "\x7f\x04\0\x03\0\0"s;
  Offers offers;
  read_table(bytes_of(table), offers);
  ASSERT_EQ(offers.offered.size(), 2u);
  EXPECT_EQ(offers.offered[1].name, "B");
  for (std::size_t size = 0; size < table.size(); ++size) {
    Offers cut;
    read_table(bytes_of(table).first(size), cut);
    EXPECT_LE(cut.offered.size(), 2u);
  }
}

TEST(Offers, ComeFromFwCfgAndTheKernelLine) {
  const TestFolder root;
  root.write("sys/firmware/qemu_fw_cfg/by_name/opt/io.systemd.credentials/KEY/raw", "value");
  root.write("proc/cmdline", "quiet systemd.set_credential=HINT:a:b systemd.set_credential_binary=B:aGk= x\n");
  const Offers offers = read_offers(root.path());
  ASSERT_EQ(offers.offered.size(), 3u);
  EXPECT_EQ(offers.offered[0].source, link::Source::fw_cfg);
  EXPECT_EQ(offers.offered[1].value.text(), "a:b");
  EXPECT_EQ(offers.offered[2].value.text(), "hi");
}

TEST(MappedVersion, IsTheNameOfPid1sLibrary) {
  const auto of = [](std::string_view library) {
    return mapped_version(fmt::format(
        "7f01-7f02 r-xp 00000000 fe:00 42    /usr/lib/systemd/systemd\n7f03-7f04 r--p 00000000 fe:00 43    {}\n",
        library));
  };
  EXPECT_EQ(of("/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so"), "252");
  EXPECT_EQ(of("/usr/lib64/systemd/libsystemd-shared-254.5-2.fc39.so"), "254.5-2.fc39");
  EXPECT_EQ(of("/nix/store/abc-systemd-257.3/lib/systemd/libsystemd-shared-257.so"), "257");
  EXPECT_EQ(of("/usr/lib/libsystemd-core.so"), "");
  EXPECT_EQ(of("/usr/lib/libsystemd-shared-"), "");
}

TEST(Consumers, ComeFromUnitsAndDropIns) {
  const TestFolder root;
  root.write("etc/web.service",
             "[Unit]\nLoadCredential=no:API_KEY\n[Service]\nLoadCredential=key:API_KEY\nLoadCredential = API_KEY\n");
  root.write("usr/web.service", "[Service]\nLoadCredential=hidden:API_KEY\n");
  root.write("usr/web.service.d/10-more.conf", "[Service]\nLoadCredential=file:/etc/x\n# LoadCredential=c:API_KEY\n");
  root.write("usr/late.service", "[Service]\nLoadCredential=a:API_KEY\n");
  root.write("etc/late.service.d/reset.conf", "[Service]\nLoadCredential=\nImportCredential=API_*\n");
  root.write("usr/template@.service", "[Service]\nLoadCredential=a:API_KEY\n");
  const auto found = find_consumers({root / "etc", root / "usr"}, {"API_KEY"});
  std::vector<std::string> texts;
  for (const auto& one : found) texts.push_back(one.unit + " " + one.id);
  EXPECT_THAT(texts, ElementsAre("late.service API_KEY", "web.service API_KEY", "web.service key"));
}

TEST(Consumers, AreThoseThatSystemdWouldSee) {
  const TestFolder root;
  const std::vector<std::string> folders = {root / "etc", root / "usr"};
  const auto ids = [&] {
    std::vector<std::string> texts;
    for (const auto& one : find_consumers(folders, {"API_KEY"})) texts.push_back(one.unit + " " + one.id);
    return texts;
  };
  root.write("usr/web-api-v2.service", "[Service]\nLoadCredential=a:API_KEY\n");
  root.write("usr/web-api-.service.d/x.conf", "[Service]\nLoadCredential=b:API_KEY\n");
  root.write("usr/web-.service.d/y.conf", "[Service]\nLoadCredential=c:API_KEY\n");
  root.write("etc/service.d/z.conf", "[Service]\nLoadCredential=d:API_KEY\n");
  root.write("usr/only-drop-ins.service", "[Service]\n");
  root.write("etc/only-drop-ins.service.d/only.conf", "[Service]\nLoadCredential=e:API_KEY\n");
  EXPECT_THAT(ids(), ElementsAre("only-drop-ins.service d", "only-drop-ins.service e", "web-api-v2.service a",
                                 "web-api-v2.service b", "web-api-v2.service c", "web-api-v2.service d"));
  // One's own file hides one of the same name for all, in whatever folder; nothing is left of what is masked.
  root.write("usr/web-api-v2.service.d/z.conf", "[Service]\nLoadCredential=\n");
  ASSERT_EQ(::symlink("/dev/null", (root / "etc/only-drop-ins.service").c_str()), 0);
  EXPECT_THAT(ids(), IsEmpty());
  root.write("usr/late.service", "[Service]\nLoadCredential=f:API_KEY\n");
  root.write("etc/late.service.d/more.conf", "[Service]\nLoadCredential=g:API_KEY\n");
  EXPECT_THAT(ids(), ElementsAre("late.service d", "late.service f", "late.service g"));
}

/// "UNIT ID" of each consumer of API_KEY and db.password.
std::vector<std::string> consumers_in(const std::vector<std::string>& folders) {
  std::vector<std::string> texts;
  for (const auto& one : find_consumers(folders, {"API_KEY", "db.password"})) texts.push_back(one.unit + " " + one.id);
  return texts;
}

TEST(Consumers, AreNoneInAnEmptyFileAndInDropInsOfNothing) {
  const TestFolder root;
  root.write("usr/web.service", "[Service]\nLoadCredential=a:API_KEY\n");
  root.write("etc/web.service.d/x.conf", "[Service]\nLoadCredential=b:API_KEY\n");
  root.write("etc/web.service.d/.x.conf.conf", "[Service]\nLoadCredential=hidden:API_KEY\n");
  root.write("etc/gone.service.d/x.conf", "[Service]\nLoadCredential=c:API_KEY\n");
  EXPECT_THAT(consumers_in({root / "etc", root / "usr"}), ElementsAre("web.service a", "web.service b"));
  root.write("etc/web.service", "");  // masks it as a link to /dev/null does
  EXPECT_THAT(consumers_in({root / "etc", root / "usr"}), IsEmpty());
}

TEST(Consumers, AreReadFromLinesAsSystemdJoinsThem) {
  const TestFolder root;
  root.write(
      "web.service",
      "[Service]\nEnvironment=A=b \\ \nLoadCredential=blank:API_KEY\nEnvironment=A=b\\\\\nLoadCredential=pair:API_KEY\n"
      "Environment=A=b \\\n# a comment \\\nLoadCredential=joined:API_KEY\nLoadCredential=last:API_KEY\n");
  EXPECT_THAT(consumers_in({root.path()}), ElementsAre("web.service blank", "web.service last", "web.service pair"));
}

TEST(Consumers, ImportUnderTheNameThatTheServiceSees) {
  const TestFolder root;
  root.write("a.service", "[Service]\nImportCredential=db.*:mine.\n");
  root.write("b.service", "[Service]\nImportCredential=db.password:password\n");
  root.write("c.service",
             "[Service]\nImportCredential=db.*:\nImportCredential=API_*\nLoadCredential=API_KEY:/run/key\n");
  root.write("d.service", "[Service]\nLoadCredential=password:/run/key\nImportCredential=db.password:password\n");
  EXPECT_THAT(consumers_in({root.path()}),
              ElementsAre("a.service mine.password", "b.service password", "c.service db.password"));
}

TEST(Consumers, HaveTheDropInsOfTheirOtherNames) {
  const TestFolder root;
  root.write("usr/mariadb.service", "[Service]\nLoadCredential=a:API_KEY\n");
  root.write("etc/mysql.service.d/x.conf", "[Service]\nLoadCredential=b:API_KEY\n");
  ASSERT_EQ(::symlink("../usr/mariadb.service", (root / "etc/mysql.service").c_str()), 0);
  root.write("usr/web.service", "[Service]\n");
  root.write("etc/www-.service.d/x.conf", "[Service]\nLoadCredential=d:API_KEY\n");
  ASSERT_EQ(::symlink((root / "etc/web.service").c_str(), (root / "etc/www-1.service").c_str()),
            0);  // where it is does not matter
  root.write("elsewhere/linked.service", "[Service]\nLoadCredential=c:API_KEY\n");
  ASSERT_EQ(::symlink((root / "elsewhere/linked.service").c_str(), (root / "etc/linked.service").c_str()), 0);
  EXPECT_THAT(consumers_in({root / "etc", root / "usr"}),
              ElementsAre("linked.service c", "mariadb.service a", "mariadb.service b", "mysql.service a",
                          "mysql.service b", "web.service d"));
}

TEST(Consumers, ThatAreInstancesHaveTheirTemplates) {
  const TestFolder root;
  root.write("usr/web-api@.service", "[Service]\nLoadCredential=a:API_KEY\n");
  root.write("usr/web-api@.service.d/y.conf", "[Service]\nLoadCredential=b:API_KEY\n");
  root.write("usr/web-@.service.d/z.conf", "[Service]\nLoadCredential=c:API_KEY\n");
  root.write("etc/web-api@x-1.service.d/x.conf", "[Service]\nLoadCredential=d:API_KEY\n");
  root.write("etc/web-.service.d/w.conf", "[Service]\nLoadCredential=e:API_KEY\n");
  EXPECT_THAT(consumers_in({root / "etc", root / "usr"}),
              ElementsAre("web-api@x-1.service a", "web-api@x-1.service b", "web-api@x-1.service c",
                          "web-api@x-1.service d", "web-api@x-1.service e"));
}

TEST(Consumers, AreLookedForWhereSystemdLooks) {
  const std::vector<std::string> folders = unit_folders();
  const auto place = [&](std::string_view folder) { return std::ranges::find(folders, folder) - folders.begin(); };
  // `systemd-analyze unit-paths`: a mask on the kernel's line stands in generator.early, `systemd-run` writes
  // transient.
  EXPECT_LT(place("/run/systemd/transient"), place("/run/systemd/generator.early"));
  EXPECT_LT(place("/run/systemd/generator.early"), place("/etc/systemd/system"));
  EXPECT_LT(place("/etc/systemd/system"), place("/etc/systemd/system.attached"));
  EXPECT_LT(place("/usr/lib/systemd/system"), place("/run/systemd/generator.late"));
  EXPECT_LT(place("/run/systemd/generator.late"), std::ssize(folders));
}

TEST(SerialPort, IsFoundByItsName) {
  const TestFolder sys;
  EXPECT_FALSE(find_serial_port(sys.path()));
  sys.write("class/virtio-ports/vport0p1/name", "org.qemu.guest_agent.0\n");
  sys.write("class/virtio-ports/vport1p1/name", "vmcred.link\n");
  EXPECT_EQ(find_serial_port(sys.path()), "/dev/vport1p1");
}

TEST(MountedGeneration, IsThatOfTheUppermostMount) {
  const std::string_view system = "/run/credentials/@system";
  const std::string pid1 = "30 29 0:30 / /run/credentials/@system ro,nosuid - ramfs ramfs rw,mode=700\n";
  const std::string first = "40 30 0:41 /sets/3 /run/credentials/@system ro - ramfs vmcred rw\n";
  const std::string second = "41 40 0:41 /sets/4.1 /run/credentials/@system ro - ramfs vmcred rw\n";
  const std::string elsewhere = "42 1 0:41 /sets/9 /somewhere ro - ramfs vmcred rw\n";
  EXPECT_EQ(mounted_generation(pid1, system), 0u);
  EXPECT_EQ(mounted_generation(pid1 + first + elsewhere, system), 3u);
  EXPECT_EQ(mounted_generation(pid1 + first + second, system), 4u);
  EXPECT_EQ(mounted_generation(second + first + pid1, system),
            4u);  // one that was put beneath another comes later in the list
  EXPECT_EQ(mounted_generation("", system), 0u);
}

TEST(SystemdJson, LooksLikeSystemds) {
  const auto json = parse_json(R"({"b":1,"a":[1,2.5,"x"],"c":null,"d":{},"e":[]})");
  ASSERT_THAT(json, Succeeds());
  EXPECT_EQ(systemd_json(*json, JsonMode::brief),
            "{\"b\":1,\"a\":[1,2.500000000000000000000e+00,\"x\"],\"c\":null,\"d\":{},\"e\":[]}\n");
  EXPECT_EQ(systemd_json(*parse_json(R"([{"a":true}])"), JsonMode::pretty), "[\n\t{\n\t\t\"a\" : true\n\t}\n]\n");
}

}  // namespace
}  // namespace vmcred::guest
