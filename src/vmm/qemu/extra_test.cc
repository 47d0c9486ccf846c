#include "vmm/qemu/extra.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"

namespace vmcred::vmm::qemu {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;

using Words = std::vector<std::string>;

TEST(ExtraArguments, LetsDevicesPass) {
  EXPECT_THAT(check_extra(Words{"-device", "pvpanic", "-smbios", "type=1,serial=x", "-monitor", "none"}), Succeeds());
  EXPECT_THAT(check_extra(Words{"-fw_cfg", "name=opt/mine,string=x", "-machine", "kernel-irqchip=split"}), Succeeds());
  EXPECT_THAT(check_extra(Words{}), Succeeds());
}

TEST(ExtraArguments, RefusesWhatWouldUndoTheDelivery) {
  for (const Words& words : {Words{"-smbios", "type=11,value=x"}, Words{"--smbios", "file=/x"}, Words{"-S"},
                             Words{"-fw_cfg", "name=opt/io.systemd.credentials/X,string=x"}, Words{"-qmp", "unix:/x"},
                             Words{"-monitor", "stdio"}, Words{"-gdb", "tcp::1"}, Words{"-machine", "mem-merge=on"},
                             Words{"-append", "x"}, Words{"-daemonize"}}) {
    EXPECT_THAT(check_extra(words), FailsWith(Errc::usage, HasSubstr("extra argument")));
  }
}

TEST(ExtraArguments, DoesNotTakeAValueForAnOption) {
  EXPECT_THAT(check_extra(Words{"-uuid", "-S"}), Succeeds());  // QEMU reads it the same way
  EXPECT_THAT(check_extra(Words{"-snapshot", "-S"}), FailsWith(Errc::usage, HasSubstr("'-S'")));
}

TEST(ExtraArguments, AreOfTheListOrAllowedByName) {
  EXPECT_THAT(check_extra(Words{"-fake", "x"}),
              FailsWith(Errc::usage, HasSubstr("the extra argument '-fake' cannot be used")));
  EXPECT_THAT(check_extra(Words{"-fake", "x"}, AllowedOptions(Words{"fake="})), Succeeds());
  for (const Words& words :
       {Words{"-device", "ivshmem-plain"}, Words{"-object", "memory-backend-file,mem-path=/x,share=on"},
        Words{"-parallel", "mon:stdio"}, Words{"-smbios", "type=0xb"}, Words{"-no-hpet", "-gdb", "x"}})
    EXPECT_THAT(check_extra(words), FailsWith(Errc::usage, HasSubstr("extra argument")));
}

}  // namespace
}  // namespace vmcred::vmm::qemu
