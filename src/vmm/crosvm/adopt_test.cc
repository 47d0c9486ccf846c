#include "vmm/crosvm/adopt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"
#include "vmm/crosvm/conflicts.h"

namespace vmcred::vmm::crosvm {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;

using Words = std::vector<std::string>;

declare::Vm declared(int systemd) {
  declare::Vm vm;
  vm.name = "test-vm";
  vm.guest = {.systemd = systemd, .systemd_in_initrd = true};
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}}};
  return vm;
}

Result<Launch> adopted(const Words& words, int systemd = 262, std::vector<Exposure> exposed = {}) {
  const Foreign foreign = {.argv = words};
  TRY_LET(const declare::Vm vm, describe(foreign, declared(systemd)));
  const std::map<std::string, std::size_t> sizes = {{"host-api-key", 7}};
  return adopt(foreign, vm, credential::make_plan({.vm = vm, .sizes = sizes}),
               {.accel = declare::Accel::kvm, .exposed = std::move(exposed)});
}

/// As the runner of microvm.nix builds it, without its control socket.
Words microvm_runner() {
  return {"/nix/store/x/bin/crosvm",
          "run",
          "-m",
          "512",
          "-c",
          "1",
          "--serial",
          "type=stdout,console=true,stdin=true",
          "-p",
          "console=ttyS0 reboot=k panic=1",
          "--initrd",
          "/nix/store/i/initrd",
          "--net",
          "tap-fd=3",
          "/nix/store/k/bzImage"};
}

TEST(CrosvmAdopt, ReadsTheInitrdFromAMemoryFileAndKeepsTheRest) {
  const auto launch = adopted(microvm_runner());
  ASSERT_THAT(launch, Succeeds());
  Words expected = microvm_runner();
  expected[11] = "/proc/self/fd/10";
  EXPECT_EQ(launch->argv, expected);
  ASSERT_EQ(launch->blobs.size(), 1U);
  EXPECT_EQ(std::get<InitrdBlob>(launch->blobs[0]).base, "/nix/store/i/initrd");
  const auto equals = adopted({"crosvm", "run", "--initrd=/i", "/k"});
  ASSERT_THAT(equals, Succeeds());
  EXPECT_THAT(equals->argv, ElementsAre("crosvm", "run", "--initrd=/proc/self/fd/10", "/k"));
}

TEST(CrosvmAdopt, RefusesWhatItCannotDeliverOrCheck) {
  EXPECT_THAT(adopted(microvm_runner(), 257), FailsWith(Errc::invalid_data, HasSubstr("'API_KEY'")));
  EXPECT_THAT(adopted({"crosvm", "run", "/k"}), FailsWith(Errc::invalid_data, HasSubstr("no initrd")));
  const auto with = [](const Words& more) {
    Words words = microvm_runner();
    words.insert(words.begin() + 2, more.begin(), more.end());
    return adopted(words);
  };
  for (const Words& words : {Words{"--cfg", "x"}, Words{"--gdb", "1234"}, Words{"--gdb=1234"},
                             Words{"--no-smt", "--gdb", "1"}, Words{"--swap-dir", "x"}, Words{"--frobnicate"},
                             Words{"--vhost-user", "type=block,socket=x"}, Words{"--vhost-user-blk", "x"}})
    EXPECT_THAT(with(words), FailsWith(Errc::usage, HasSubstr("cannot be kept")));
  // Every option that a runner of microvm.nix has written so far.
  EXPECT_THAT(with({"-r",
                    "store.img",
                    "--no-balloon",
                    "--balloon-page-reporting",
                    "--seccomp-log-failures",
                    "--vhost-user",
                    "gpu,socket=x",
                    "--vhost-user-gpu",
                    "x",
                    "--vhost-user",
                    "type=fs,socket=x",
                    "--pivot-root",
                    "/var/empty",
                    "--block",
                    "a.img,o_direct=false,ro=true,id=x",
                    "--rwdisk",
                    "x",
                    "--shared-dir",
                    "/srv:srv:type=p9",
                    "--net",
                    "tap-name=a,mac=02:00:00:00:00:01",
                    "--net-vq-pairs",
                    "2",
                    "--tap-fd",
                    "3",
                    "--vsock",
                    "5",
                    "--vfio",
                    "/sys/bus/pci/devices/0000:01:00.0,iommu=viommu",
                    "-v"}),
              Succeeds());
  const auto leak = adopted({"crosvm", "run", "--smbios", "oem-strings=[\"io.systemd.credential:K=hunter2\"]", "/k"});
  EXPECT_THAT(leak, FailsWith(Errc::usage, HasSubstr("everybody reads it")));
  EXPECT_THAT(leak.error().message, ::testing::Not(HasSubstr("hunter2")));
}

TEST(CrosvmAdopt, RefusesAControlSocketThatNobodyGuards) {
  for (const Words& socket : {Words{"-s", "test-vm.sock"}, Words{"--socket", "x"}, Words{"--socket=x"}}) {
    Words words = microvm_runner();
    words.insert(words.begin() + 2, socket.begin(), socket.end());
    const auto refused = adopted(words);
    EXPECT_THAT(refused, FailsWith(Errc::usage, HasSubstr("control socket gives the guest's memory away")));
    EXPECT_THAT(refused.error().hint, HasSubstr("remove it"));
    EXPECT_THAT(adopted(words, 262, {Exposure::migration}), FailsWith(Errc::usage, HasSubstr("control socket")));
    const auto exposed = adopted(words, 262, {Exposure::snapshot});
    ASSERT_THAT(exposed, Succeeds());
    EXPECT_TRUE(std::ranges::search(exposed->argv, socket));
  }
}

TEST(CrosvmAdopt, RecognisesOnlyARun) {
  EXPECT_TRUE(recognises({.argv = microvm_runner()}));
  EXPECT_FALSE(recognises({.argv = {"crosvm", "stop", "test-vm.sock"}}));
}

TEST(CrosvmAdopt, LeavesTheControlSocketOutWhereThatIsAskedFor) {
  const Words words = {"crosvm", "run", "-s", "v.sock", "--socket=w.sock", "--socket", "x.sock", "-c", "1", "/k"};
  EXPECT_THAT(without_control_socket(words), ElementsAre("crosvm", "run", "-c", "1", "/k"));
  EXPECT_THAT(without_control_socket(Words{"crosvm", "run", "-s"}), ElementsAre("crosvm", "run"));
}

}  // namespace
}  // namespace vmcred::vmm::crosvm
