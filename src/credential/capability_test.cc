#include "credential/capability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmcred::credential {
namespace {

using declare::Hypervisor;
using ::testing::HasSubstr;

declare::Vm vm_of(Hypervisor hypervisor, std::string machine = "q35") {
  declare::Vm vm;
  vm.hypervisor = hypervisor;
  vm.qemu_machine = std::move(machine);
  return vm;
}

TEST(Capability, ReadsVersionsAsProgramsPrintThem) {
  EXPECT_EQ(major_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)"), 7);
  EXPECT_EQ(major_version("cloud-hypervisor v53.0"), 53);
  EXPECT_EQ(major_version("Firecracker v1.16.1"), 1);
  EXPECT_EQ(major_version("no number"), 0);
}

TEST(Capability, RefusesVersionsThatCannotCarryCredentials) {
  EXPECT_THAT(too_old(vm_of(Hypervisor::qemu), "QEMU emulator version 4.2.1"), HasSubstr("QEMU 4.2 is too old, 5.2"));
  EXPECT_THAT(too_old(vm_of(Hypervisor::qemu), "QEMU emulator version 5.1.0"), HasSubstr("5.2 is the first"));
  EXPECT_EQ(too_old(vm_of(Hypervisor::qemu), "QEMU emulator version 5.2.0"), "");
  EXPECT_EQ(too_old(vm_of(Hypervisor::qemu, "microvm"), "QEMU emulator version 4.2.1"), "");
  EXPECT_THAT(too_old(vm_of(Hypervisor::cloud_hypervisor), "cloud-hypervisor v25.0"), HasSubstr("26.0"));
  EXPECT_EQ(too_old(vm_of(Hypervisor::cloud_hypervisor), "cloud-hypervisor v53.0"), "");
  EXPECT_EQ(too_old(vm_of(Hypervisor::crosvm), "crosvm 0.1.0"), "");
  EXPECT_EQ(too_old(vm_of(Hypervisor::qemu), ""), "");
}

}  // namespace
}  // namespace vmcred::credential
