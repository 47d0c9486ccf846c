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
  EXPECT_THAT(too_old(vm_of(Hypervisor::firecracker), "0.25.2"),
              HasSubstr("Firecracker 0.25 is too old, 1.0 is the first"));
  EXPECT_EQ(too_old(vm_of(Hypervisor::firecracker), "1.16.1"), "");
  EXPECT_EQ(too_old(vm_of(Hypervisor::crosvm), "crosvm 0.1.0"), "");
  EXPECT_EQ(too_old(vm_of(Hypervisor::qemu), ""), "");
  EXPECT_EQ(too_old(vm_of(Hypervisor::qemu), "QEMU emulator version 99999999999.1"), "");
}

TEST(Capability, ABuildBetweenTwoVersionsCountsAsTheOlderAndThatIsSaid) {
  declare::Vm vm = vm_of(Hypervisor::cloud_hypervisor);
  vm.guest.systemd = 257;
  const Way between = ways_into(vm, "cloud-hypervisor v53.0-246-g1a2b3c4", false).front();
  EXPECT_THAT(between.limit,
              HasSubstr("up to v53.0 takes requests of 51200 bytes, and 'v53.0-246-g1a2b3c4' counts as one"));
  for (const char* const plain :
       {"cloud-hypervisor v53.0", "cloud-hypervisor v53.0-dirty", "v53.0-x-gray", "-g", "--g"}) {
    EXPECT_THAT(ways_into(vm, plain, false).front().limit, ::testing::Not(HasSubstr("counts as"))) << plain;
  }
  EXPECT_GT(ways_into(vm, "cloud-hypervisor v54.0-3-g1a2b3c4", false).front().total_bytes, between.total_bytes);
}

TEST(Capability, ADeclaredVersionCountsBeforeTheOneThatIsTold) {
  declare::Vm vm = vm_of(Hypervisor::cloud_hypervisor);
  EXPECT_EQ(counting_version(vm, "cloud-hypervisor v53.0-246-g1a2b3c4"), "cloud-hypervisor v53.0-246-g1a2b3c4");
  vm.vmm_version = "54.0";
  EXPECT_EQ(counting_version(vm, "cloud-hypervisor v53.0-246-g1a2b3c4"), "54.0");
  EXPECT_EQ(counting_version(vm, ""), "54.0");
}

TEST(Capability, WhatTheTableSaysOfVersionsIsWhatIsRefused) {
  const std::pair<std::string_view, declare::Vm> rows[] = {
      {"qemu q35, pc", vm_of(Hypervisor::qemu, "pc")},
      {"qemu microvm, virt", vm_of(Hypervisor::qemu, "microvm")},
      {"cloud-hypervisor x86_64", vm_of(Hypervisor::cloud_hypervisor)},
      {"cloud-hypervisor aarch64", vm_of(Hypervisor::cloud_hypervisor)},
      {"firecracker", vm_of(Hypervisor::firecracker)},
      {"crosvm, kvmtool", vm_of(Hypervisor::kvmtool)},
  };
  for (const Capability& row : capabilities()) {
    const auto found = std::ranges::find(rows, row.hypervisor, [](const auto& known) { return known.first; });
    ASSERT_NE(found, std::end(rows)) << row.hypervisor << " has no vm here";
    EXPECT_EQ(too_old(found->second, row.since), "") << row.hypervisor;
    EXPECT_EQ(too_old(found->second, "0.1").empty(), row.since == "any") << row.hypervisor;
  }
}

}  // namespace
}  // namespace vmcred::credential
