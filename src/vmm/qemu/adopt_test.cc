#include "vmm/qemu/adopt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"
#include "vmm/foreign.h"

namespace vmcred::vmm::qemu {
namespace {

using declare::Vm;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using testing::Succeeds;

using Words = std::vector<std::string>;

Vm declared() {
  Vm vm;
  vm.name = "test-vm";
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}}};
  return vm;
}

/// As the runner of microvm.nix builds it.
Words microvm_runner() {
  return {"/nix/store/x-qemu/bin/qemu-system-x86_64",
          "-name",
          "test-vm",
          "-M",
          "microvm,accel=kvm:tcg,mem-merge=on,acpi=on,pit=off,pic=off,pcie=on,usb=off",
          "-m",
          "512",
          "-smp",
          "1",
          "-nodefaults",
          "-no-user-config",
          "-no-reboot",
          "-kernel",
          "/nix/store/x-linux/bzImage",
          "-initrd",
          "/nix/store/x-initrd/initrd",
          "-chardev",
          "stdio,id=stdio,signal=off",
          "-device",
          "virtio-rng-pci",
          "-serial",
          "chardev:stdio",
          "-append",
          "console=ttyS0 reboot=t panic=-1 root=fstab",
          "-nographic",
          "-sandbox",
          "on",
          "-qmp",
          "unix:test-vm.sock,server,nowait",
          "-netdev",
          "tap,id=vm-net,fd=3",
          "-device",
          "virtio-net-pci,netdev=vm-net,mac=02:00:00:00:00:01,romfile="};
}

Result<Launch> adopted(const Words& words, bool with_link = false) {
  const Foreign foreign = {.argv = words};
  TRY_LET(const Vm vm, describe(foreign, declared()));
  const std::map<std::string, std::size_t> sizes = {{"host-api-key", 7}, {"vmcred.link", 74}};
  const auto plan = credential::make_plan({.vm = vm, .sizes = sizes, .with_link = with_link});
  return adopt(foreign, vm, plan, {.host_tsc_khz = 2'000'000, .with_link = with_link});
}

std::string one_a_line(const Result<Launch>& launch) {
  if (!launch) return "failed: " + launch.error().message;
  std::string text;
  for (const std::string& word : launch->argv) text += word + "\n";
  for (const vmm::Guard& guard : launch->guards) {
    text += fmt::format("{} guard {}\n", guard.protocol == Guard::Protocol::qmp ? "qmp" : "hmp", guard.path);
  }
  for (const int fd : launch->kept_fds) text += fmt::format("keeps {}\n", fd);
  return text;
}

TEST(QemuAdopt, RecognisesQemuByItsName) {
  EXPECT_TRUE(recognises({.argv = {"/usr/bin/qemu-system-aarch64"}}));
  EXPECT_TRUE(recognises({.argv = {"qemu-kvm", "-m", "1G"}}));
  EXPECT_FALSE(recognises({.argv = {"qemu-img", "info"}}));
  EXPECT_FALSE(recognises({}));
}

TEST(QemuAdopt, ReadsTheVmFromTheCommandLine) {
  const auto vm = describe({.argv = microvm_runner()}, declared());
  ASSERT_THAT(vm, Succeeds());
  EXPECT_EQ(vm->qemu_machine, "microvm");
  EXPECT_EQ(vm->architecture, "x86_64");
  EXPECT_EQ(vm->initrd, "/nix/store/x-initrd/initrd");
  EXPECT_EQ(vm->memory_bytes, 512ULL << 20);
  EXPECT_EQ(describe({.argv = {"qemu-system-x86_64"}}, declared())->qemu_machine, "pc");
  EXPECT_EQ(describe({.argv = {"qemu-kvm", "-machine", "type=pc-q35-9.0,accel=kvm", "-m", "size=2G"}}, declared())
                ->qemu_machine,
            "q35");
  EXPECT_THAT(describe({.argv = {"qemu-system-x86_64", "-M", "xenpv"}}, declared()),
              FailsWith(Errc::usage, HasSubstr("'xenpv'")));
}

TEST(QemuAdopt, KeepsTheArgumentsOfAMicrovmRunner) {
  EXPECT_THAT(one_a_line(adopted(microvm_runner(), true)), MatchesGolden("qemu/adopt-microvm.args"));
}

TEST(QemuAdopt, AddsItsOwnToAQ35) {
  const Words words = {"qemu-kvm", "-M",
                       "q35",      "-enable-kvm",
                       "-m",       "1G",
                       "-drive",   "file=disk.img,format=raw",
                       "-chardev", "socket,id=mon0,path=/run/x/mon.sock,server=on,wait=off",
                       "-mon",     "chardev=mon0,mode=control"};
  EXPECT_THAT(one_a_line(adopted(words)), MatchesGolden("qemu/adopt-q35.args"));
}

TEST(QemuAdopt, RefusesConflictsWithARemedy) {
  const auto with = [](std::initializer_list<const char*> more) {
    Words words = {"qemu-system-x86_64", "-M", "q35"};
    words.insert(words.end(), more.begin(), more.end());
    return adopted(words);
  };
  EXPECT_THAT(with({"-smbios", "type=11,value=x"}), FailsWith(Errc::usage, HasSubstr("'-smbios'")));
  EXPECT_THAT(with({"-smbios", "type=1,serial=x"}), Succeeds());
  EXPECT_THAT(with({"-fw_cfg", "name=opt/io.systemd.credentials/API_KEY,file=/x"}),
              FailsWith(Errc::usage, HasSubstr("twice")));
  EXPECT_THAT(with({"-fw_cfg", "name=opt/io.systemd.credentials/OTHER,file=/x"}), Succeeds());
  EXPECT_THAT(with({"-fw_cfg", "opt/io.systemd.credentials/OTHER,string=x"}),
              FailsWith(Errc::usage, HasSubstr("everybody")));
  EXPECT_THAT(with({"-qmp", "tcp:localhost:4444,server"}), FailsWith(Errc::usage, HasSubstr("unix socket")));
  EXPECT_THAT(with({"-monitor", "stdio"}), FailsWith(Errc::usage, HasSubstr("unix socket")));
  EXPECT_THAT(with({"-monitor", "none"}), Succeeds());
  EXPECT_THAT(with({"-serial", "mon:stdio"}), FailsWith(Errc::usage, HasSubstr("monitor")));
  EXPECT_THAT(with({"-gdb", "tcp::1"}), FailsWith(Errc::usage, HasSubstr("debugger")));
}

TEST(QemuAdopt, FindsEveryDescriptor) {
  EXPECT_THAT(named_fds(Words{"tap,id=a,fd=3", "tap,fds=7:8,vhostfds=9:10", "/dev/fd/12", "path=/proc/self/fd/5,x",
                              "fd=[20,21]", "notfd=99", "fd=1"}),
              ElementsAre(3, 5, 7, 8, 9, 10, 12, 20, 21));
}

}  // namespace
}  // namespace vmcred::vmm::qemu
