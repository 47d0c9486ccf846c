// Each trap of a guest, laid out in a folder that stands for its root.
#include "diagnosis.h"

#include <sys/stat.h>

#include "base/base64.h"
#include "matchers.h"

namespace vmcred::guest {

namespace {

using namespace std::string_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Succeeds;
using testing::TestFolder;

/// A guest without faults: two credentials offered by SMBIOS and taken.
class Doctor : public ::testing::Test {
 protected:
  Doctor() {
    offer(0, {"io.systemd.credential:PLAIN=value", "io.systemd.credential.binary:KEY=aGVsbG8="});
    holds("PLAIN", "value");
    holds("KEY", "hello");
    root.write("proc/cmdline", "quiet\n");
    root.write("sys/firmware/qemu_fw_cfg/rev", "3\n");
  }
  void offer(int number, const std::vector<std::string>& strings) {
    std::string raw = "\x0b\x05\0\x11\x01"s;
    for (const auto& string : strings) raw += string + "\0"s;
    root.write(fmt::format("sys/firmware/dmi/entries/11-{}/raw", number), raw + "\0"s);
  }
  void holds(const std::string& name, const std::string& value) {
    const std::string path = root.write("run/credentials/@system/" + name, value);
    ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  }
  [[nodiscard]] std::vector<std::string> findings(int systemd = 252, bool tmpfs = false) const {
    auto found = diagnose({.root = root.path(), .systemd = systemd, .system_on_tmpfs = tmpfs});
    EXPECT_THAT(found, Succeeds());
    if (!found) return {};
    return texts(*found);
  }
  /// "place: what is wrong; remedy". Where the tests run no file system is what systemd makes for credentials.
  static std::vector<std::string> texts(const std::vector<chain::Finding>& findings) {
    std::vector<std::string> texts;
    for (const chain::Finding& one : findings) {
      if (one.code != chain::Code::guest_swappable)
        texts.push_back(one.place.file + ": " + one.message + "; " + one.hint);
    }
    return texts;
  }
  static auto says(std::string_view text) { return Contains(HasSubstr(std::string(text))); }

  TestFolder root;
};

TEST_F(Doctor, HasNothingToSayAboutAGoodGuest) { EXPECT_THAT(findings(), IsEmpty()); }

TEST_F(Doctor, SeesAKernelWithoutDmiSysfs) {
  const TestFolder bare;
  bare.write("run/credentials/@system/HINT", "1");
  const auto found = diagnose({.root = bare.path()});
  ASSERT_THAT(found, Succeeds());
  EXPECT_THAT(texts(*found), says("no SMBIOS entries"));
}

TEST_F(Doctor, SeesAModuleThatCameLate) {
  const TestFolder late;
  late.write("sys/firmware/dmi/entries/11-0/raw", "\x0b\x05\0\x11\x01io.systemd.credential:A=1\0\0"s);
  late.write("run/credentials/@system/HINT", "1");
  const auto found = diagnose({.root = late.path(), .systemd = 252});
  ASSERT_THAT(found, Succeeds());
  EXPECT_THAT(texts(*found), says("if dmi_sysfs is a module that came after"));
}

TEST_F(Doctor, SeesAMissingFwCfgDriver) {
  const TestFolder bare;
  bare.write("sys/bus/acpi/devices/QEMU0002:00/hid", "QEMU0002\n");
  bare.write("run/credentials/@system/HINT", "1");
  EXPECT_THAT(texts(*diagnose({.root = bare.path()})), says("its driver is not loaded"));
}

TEST_F(Doctor, SeesThatImportIsOff) {
  for (const char* word : {"no", "0", "false", "off"}) {
    root.write("proc/cmdline", fmt::format("quiet systemd.import_credentials={} x\n", word));
    EXPECT_THAT(findings(), says("import_credentials is off")) << word;
  }
  root.write("proc/cmdline", "systemd.import_credentials=yes\n");
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Doctor, SeesAConfidentialMachine) {
  root.write("dev/sev-guest", "");
  EXPECT_THAT(findings(), says("confidential"));
}

TEST_F(Doctor, SeesACredstoreThatIsShadowed) {
  root.write("run/credstore/KEY", "other");
  root.write("run/credstore/ELSE", "other");
  EXPECT_THAT(findings(), says("/run/credstore/KEY: it is never read"));
  EXPECT_THAT(findings(), Not(says("ELSE")));
}

TEST_F(Doctor, SeesMoreCredentialsThanATmpfsHolds) {
  for (int i = 0; i < 256; ++i) holds(fmt::format("MANY_{}", i), "x");
  EXPECT_THAT(findings(257, true), says("a tmpfs of credentials holds 256"));
  EXPECT_THAT(findings(257, false), IsEmpty());
}

TEST_F(Doctor, SeesFilesWithAnAccessListThatProgramsRefuse) {
  const std::string path = root.write("run/credentials/web.service/key", "value");
  ASSERT_EQ(::chmod(path.c_str(), 0440), 0);
  EXPECT_THAT(findings(), says("web.service: 'key' has mode 0440"));
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Doctor, SeesAMistypedPrefixAndShowsNoValue) {
  offer(1, {"io.systemd.credentials:TYPO=hunter2", "IO.SYSTEMD.CREDENTIAL:CASE=hunter2", "vendor string"});
  const auto found = findings();
  EXPECT_THAT(found, says("begins with 'io.systemd.credentials'"));
  EXPECT_THAT(found, says("begins with 'IO.SYSTEMD.CREDENTIAL'"));
  EXPECT_EQ(found.size(), 2u);
  EXPECT_THAT(found, Not(says("hunter2")));
}

TEST_F(Doctor, SeesWhatWasCutOffChangedLostOrDoubled) {
  offer(1, {"io.systemd.credential:CUT=abcdef", "io.systemd.credential:OTHER=abc", "io.systemd.credential:LOST=abc",
            "io.systemd.credential:PLAIN=twice"});
  holds("CUT", "abc");
  holds("OTHER", "xyz");
  const auto found = findings();
  EXPECT_THAT(found, says("'CUT': it was cut off"));
  EXPECT_THAT(found, says("'OTHER': it has another value"));
  EXPECT_THAT(found, says("'LOST': it is offered, but systemd did not take it"));
  EXPECT_THAT(found, says("'PLAIN': it is offered twice"));
  EXPECT_EQ(found.size(), 4u);
}

TEST_F(Doctor, SeesALinkWithoutItsPort) {
  holds("vmcred.link", "v1 serial " + std::string(64, 'a'));
  EXPECT_THAT(findings(), says("virtio-serial port that is not here"));
  root.write("sys/class/virtio-ports/vport1p1/name", "vmcred.link\n");
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(Doctor, SeesThatNothingArrived) {
  const TestFolder empty;
  EXPECT_THAT(texts(*diagnose({.root = empty.path()})), says("it was given no credentials at boot"));
}

}  // namespace
}  // namespace vmcred::guest
