// Judgements on a host, with a /proc, /sys and /run of our own.
#include <sys/stat.h>
#include <utime.h>

#include "chain/doctor/doctor.h"
#include "chain/doctor/kvm_probe.h"
#include "chain/doctor/versions.h"
#include "matchers.h"

namespace vmcred::chain::doctor {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TestFolder;

std::vector<std::string> told(const std::vector<Finding>& findings) {
  std::vector<std::string> texts;
  for (const Finding& each : findings) {
    texts.push_back(fmt::format("{} {}: {}", code_name(each.code), each.place.file, each.message));
    for (const std::string& detail : each.details) texts.back() += "; " + detail;
  }
  return texts;
}

Doors doors_of(const TestFolder& root) { return {.root = root.path(), .run = {}}; }

// Made up here; the value must look random to be looked for.
const std::string kValue = "q7Wc0Zr4Xk9TnB2vLs8D";

TEST(Processes, ActivatedValuesAreFoundByNameAndNeverShown) {
  const TestFolder root;
  root.write("run/vmcred/vars/per-machine/m/g/key", kValue);
  root.write("proc/10/comm", "qemu-system-x86\n");
  root.write("proc/10/cmdline", std::string("qemu\0-smbios\0type=11,value=x=", 29) + kValue + '\0');
  root.write("proc/10/environ", std::string("A=1\0B=2\0", 8));
  root.write("proc/11/comm", "sh\n");
  root.write("proc/11/cmdline", std::string("sh\0", 3));
  root.write("proc/11/environ", "KEY=" + kValue + '\0');
  root.write("proc/12/comm", "vmcred\n");
  root.write("proc/12/environ", "KEY=" + kValue + '\0');
  LeakPatterns patterns;
  EXPECT_THAT(add_activated_values(doors_of(root), patterns), IsEmpty());
  const auto found = told(examine_processes(doors_of(root), patterns, 12));
  EXPECT_THAT(
      found,
      ElementsAre(
          "VC064 process 10 (qemu-system-x86): its command line shows everybody the value of 'per-machine/m/g/key'",
          "VC064 process 11 (sh): its environment holds the value of 'per-machine/m/g/key'"));
  for (const auto& text : found) EXPECT_THAT(text, Not(HasSubstr(kValue)));
}

TEST(Processes, WhatLooksLikeASecretIsNamedByItsVariable) {
  const TestFolder root;
  root.write("proc/10/comm", "app\n");
  root.write("proc/10/cmdline", std::string("app\0--token=", 12) + kValue + '\0');
  root.write("proc/10/environ", "DB_PASSWORD=" + kValue + '\0' +
                                    std::string("HOME=/root\0INVOCATION_ID=0123456789abcdef0123456789abcdef\0", 58));
  const auto found = told(examine_processes(doors_of(root), {}, 1));
  EXPECT_THAT(found, ElementsAre(HasSubstr("VC040 process 10 (app), argument 1"),
                                 HasSubstr("VC065 process 10 (app): its variable DB_PASSWORD")));
  for (const auto& text : found) EXPECT_THAT(text, Not(HasSubstr(kValue)));
}

TEST(Processes, CompilersAndLinkersNameFilesAndHashesOfBuilds) {
  const TestFolder root;
  const auto runs = [&](const std::string& pid, const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += word + '\0';
    root.write("proc/" + pid + "/comm", "x\n");
    root.write("proc/" + pid + "/cmdline", line);
    root.write("proc/" + pid + "/environ", "");
  };
  runs("10",
       {"/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "-D", "SECRET_KEY=\"" + kValue + "\"", "-frandom-seed=" + kValue});
  runs("11", {"/usr/bin/ld", "-plugin-opt=-pass-through=-lgcc",
              "--build-id=0x" + std::string(4, 'a') + "81f3905cd27be64492aa1763f0"});
  runs("12", {"x86_64-linux-gnu-g++-12", "-DAPI_TOKEN=" + kValue});
  runs("13", {"rustc", "-C", "metadata=" + kValue});
  runs("14", {"/usr/local/go/pkg/tool/linux_amd64/link", "-buildid=" + kValue});
  runs("15", {"/nix/store/0c1m/bin/.clang-wrapped", "-DPASSWORD=" + kValue});
  runs("16", {"balloon", "--token=" + kValue});  // its name ends as a compiler's does not
  EXPECT_THAT(told(examine_processes(doors_of(root), {}, 1)), ElementsAre(HasSubstr("VC040 process 16")));
}

TEST(Memory, SwapInTheClearIsToldApartFromZramAndEncrypted) {
  const TestFolder root;
  root.write("proc/swaps",
             "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0  partition\t1\t0\t100\n/dev/dm-1 partition 1 0 1\n");
  root.write("sys/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap\n");
  EXPECT_THAT(examine_memory(doors_of(root)), IsEmpty());
  root.write("proc/swaps",
             "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0  partition\t1\t0\t100\n/swapfile file 1 0 -2\n");
  EXPECT_THAT(told(examine_memory(doors_of(root))),
              ElementsAre(AllOf(HasSubstr("VC066"), HasSubstr("/dev/zram0: it is memory"),
                                HasSubstr("/swapfile: in the clear"), HasSubstr("no unified control groups"))));
  root.write("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
  EXPECT_THAT(examine_memory(doors_of(root)), IsEmpty());
}

TEST(Memory, AHypervisorWithACoreLimitOrAHandlerThatTakesAll) {
  const TestFolder root;
  root.write("proc/sys/kernel/core_pattern", "core\n");
  root.write("proc/10/comm", "qemu-system-x86\n");
  root.write("proc/10/limits",
             "Limit  Soft Limit  Hard Limit  Units\nMax core file size        0                    unlimited           "
             " bytes\n");
  root.write("proc/11/comm", "bash\n");
  root.write("proc/11/limits", "Max core file size        unlimited            unlimited            bytes\n");
  EXPECT_THAT(examine_memory(doors_of(root)), IsEmpty());
  root.write("proc/sys/kernel/core_pattern", "|/usr/lib/systemd/systemd-coredump %P %u\n");
  EXPECT_THAT(examine_memory(doors_of(root)), IsEmpty());
  root.write("proc/sys/kernel/core_pattern", "|/usr/share/apport/apport %p\n");
  EXPECT_THAT(told(examine_memory(doors_of(root))), ElementsAre(HasSubstr("VC067 process 10 (qemu-system-x86)")));
  root.write("proc/sys/kernel/core_pattern", "core\n");
  root.write("proc/10/limits", "Max core file size        unlimited            unlimited            bytes\n");
  EXPECT_THAT(told(examine_memory(doors_of(root))), ElementsAre(HasSubstr("the limit of the process unlimited")));
}

TEST(Memory, CredentialsMustLieOnRamfsOrNoswapTmpfs) {
  const TestFolder root;
  root.write("run/credentials/a.service/key", "x");
  root.write("run/credentials/b.service/key", "x");
  root.write("run/credentials/c.service/key", "x");
  root.write("run/vmcred.d/3/key", "x");
  root.write("proc/self/mountinfo",
             "20 1 0:20 / / rw - ext4 /dev/vda rw\n21 20 0:21 / /run rw,nosuid - tmpfs tmpfs rw,mode=755\n22 21 0:22 / "
             "/run/credentials/a.service ro shared:13 - ramfs ramfs rw,mode=700\n"
             "23 21 0:23 / /run/credentials/b.service ro - tmpfs tmpfs rw,size=1024k,noswap\n24 21 0:24 / "
             "/run/vmcred.d rw - ramfs vmcred rw\n");
  EXPECT_THAT(told(examine_memory(doors_of(root))),
              ElementsAre("VC068 /run/credentials/c.service: credentials lie on tmpfs, which can be written to swap"));
}

TEST(Versions, AreFoundInBanners) {
  EXPECT_EQ(find_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)"), (Version{7, 2, 22}));
  EXPECT_EQ(find_version("cloud-hypervisor v26.0"), (Version{26, 0, 0}));
  EXPECT_EQ(find_version("version 9"), std::nullopt);
  EXPECT_EQ(seabios_version(std::string("x\0", 2) + "rel-1.16.2-0-gea1b7a073390" + '\0'), (Version{1, 16, 2}));
  EXPECT_EQ(seabios_version(std::string("\0", 1) + "1.16.2-debian-1.16.2-1" + '\0'), (Version{1, 16, 2}));
  EXPECT_EQ(seabios_version("11.12.13"), std::nullopt);
  EXPECT_EQ(seabios_version("rel-1.1M"), std::nullopt);
  EXPECT_EQ(seabios_version("rel-1.16.2"), std::nullopt);
}

TEST(Versions, ThePathOverrunIsInItsRangeAlone) {
  EXPECT_TRUE(has_path_overrun("QEMU emulator version 7.2.11 (Debian 1:7.2+dfsg-7)"));
  EXPECT_FALSE(has_path_overrun("QEMU emulator version 7.2.18 (Debian)"));
  EXPECT_TRUE(has_path_overrun("QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1.10)"));
  EXPECT_FALSE(has_path_overrun("QEMU emulator version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1.11)"));
  EXPECT_TRUE(has_path_overrun("QEMU emulator version 9.2.0"));
  EXPECT_FALSE(has_path_overrun("QEMU emulator version 10.0.0"));
  EXPECT_FALSE(has_path_overrun("QEMU emulator version 5.1.0"));
}

TEST(Versions, EachTrapHasItsFinding) {
  EXPECT_THAT(told(judge_program({"cloud-hypervisor", "cloud-hypervisor v25.0"})),
              ElementsAre(HasSubstr("no oem_strings")));
  EXPECT_THAT(judge_program({"cloud-hypervisor", "cloud-hypervisor v26.0"}), IsEmpty());
  EXPECT_THAT(told(judge_firmware("QEMU emulator version 8.2.2", {1, 16, 3})),
              ElementsAre(HasSubstr("which QEMU 8.2.2 chooses by itself")));
  EXPECT_THAT(judge_firmware("QEMU emulator version 8.2.2", {1, 17, 0}), IsEmpty());
  EXPECT_THAT(judge_firmware("QEMU emulator version 7.2.22", {1, 16, 2}), IsEmpty());  // 32 bits unless asked for
  EXPECT_THAT(told(judge_systemd(246)), ElementsAre(HasSubstr("no LoadCredential=")));
  EXPECT_THAT(judge_systemd(252), IsEmpty());
}

TEST(Versions, AHypervisorThatIsNotThereIsAFinding) {
  const TestFolder root;
  const Doors doors = {.root = root.path(),
                       .run = [](const auto&) -> Result<Output> { return fail(Errc::not_found, "none"); }};
  EXPECT_THAT(told(examine_versions(doors, root.path(), {"crosvm"})), ElementsAre(HasSubstr("there is no 'crosvm'")));
}

TEST(Kvm, ADeviceThatIsNotThereOrIsNoneIsToldApart) {
  const TestFolder root;
  EXPECT_EQ(probe_kvm(root / "none", std::chrono::milliseconds(1000)).state, Kvm::absent);
  root.write("dev/kvm", "");
  EXPECT_EQ(probe_kvm(root / "dev/kvm", std::chrono::milliseconds(1000)).state, Kvm::refuses);
  EXPECT_THAT(told(examine_virtualization(doors_of(root), {})),
              Contains(HasSubstr("VC070 /dev/kvm: it opens, but runs no guest")));
}

TEST(Kvm, AWishForItMakesItsAbsenceAnError) {
  const TestFolder root;
  EXPECT_FALSE(any_findings(examine_virtualization(doors_of(root), {})));
  EXPECT_TRUE(any_findings(examine_virtualization(doors_of(root), {.required = true})));
}

TEST(Keys, MustBeTheirOwnersAlone) {
  const TestFolder root;
  const std::string key = root.write("var/lib/vmcred/key.txt", "# made up\n");
  ::chmod(key.c_str(), 0440);
  EXPECT_THAT(told(examine_keys(doors_of(root), real_clock(), {})),
              Contains("VC074 /var/lib/vmcred/key.txt: others can read or change this private key: its mode is 0440"));
  ::chmod(key.c_str(), 0400);
  EXPECT_THAT(told(examine_keys(doors_of(root), real_clock(), {})), Not(Contains(HasSubstr("its mode is"))));
  const std::string own = root.write("home/keys.txt", "");
  ::chmod(own.c_str(), 0644);
  EXPECT_THAT(told(examine_keys(doors_of(root), real_clock(), {.operator_key = own})),
              Contains(HasSubstr("keys.txt: others can read")));
}

TEST(Keys, AHostWithoutKeyOrActivationIsTold) {
  const TestFolder root;
  EXPECT_THAT(examine_keys(doors_of(root), real_clock(), {}), IsEmpty());
  EXPECT_THAT(told(examine_keys(doors_of(root), real_clock(), {.needs_key = true})),
              ElementsAre(HasSubstr("VC075"), HasSubstr("VC076")));
  root.write("etc/credstore.encrypted/vmcred.identity", "sealed");
  ::chmod((root / "etc/credstore.encrypted").c_str(), 0700);
  root.write("run/vmcred/vars/x", "");
  EXPECT_THAT(examine_keys(doors_of(root), real_clock(), {.needs_key = true}), IsEmpty());
}

class LateClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override { return SystemTime(std::chrono::seconds(1'000'000'000)); }
  [[nodiscard]] SteadyTime steady() const override { return {}; }
};

TEST(TheClock, IsBehindWhereAFileIsFromTheFuture) {
  const TestFolder root;
  const std::string epoch = root.write("usr/lib/clock-epoch", "");
  const utimbuf same = {1'000'000'000, 1'000'000'000};
  ::utime(epoch.c_str(), &same);
  EXPECT_THAT(examine_keys(doors_of(root), LateClock(), {}), IsEmpty());
  const utimbuf later = {1'000'001'000, 1'000'001'000};
  ::utime(epoch.c_str(), &later);
  EXPECT_THAT(told(examine_keys(doors_of(root), LateClock(), {})),
              ElementsAre("VC073 /usr/lib/clock-epoch: this is from 2001-09-09T02:03:20Z, and this machine's clock "
                          "says 2001-09-09T01:46:40Z"));
}

}  // namespace
}  // namespace vmcred::chain::doctor
