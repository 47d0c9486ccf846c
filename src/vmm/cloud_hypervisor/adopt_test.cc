#include "vmm/cloud_hypervisor/adopt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"
#include "vmm/blob.h"
#include "vmm/cloud_hypervisor/option_values.h"
#include "vmm/cloud_hypervisor/options.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

using declare::Vm;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using ::testing::Not;
using testing::secret;
using testing::Succeeds;

using Words = std::vector<std::string>;

/// As the runner of microvm.nix builds it.
Words microvm_runner() {
  return {"/nix/store/x/bin/cloud-hypervisor",
          "--cpus",
          "boot=2",
          "--watchdog",
          "--console",
          "null",
          "--serial",
          "tty",
          "--kernel",
          "/nix/store/k/vmlinux",
          "--initramfs",
          "/nix/store/i/initrd",
          "--cmdline",
          "earlyprintk=ttyS0 console=ttyS0 reboot=t panic=-1",
          "--seccomp",
          "true",
          "--memory",
          "mergeable=on,shared=on,size=512M,hotplug_method=virtio-mem,hotplug_size=256M,hotplugged_size=256M",
          "--platform",
          "oem_strings=[io.systemd.credential:vmm.notify_socket=vsock-stream:2:8888]",
          "--vsock",
          "cid=3,socket=notify.vsock",
          "--balloon",
          "deflate_on_oom=on,free_page_reporting=on,size=256M",
          "--disk",
          "path=/nix/store/d/store.erofs,readonly=on",
          "direct=off,path=var.img,readonly=off,serial=abc,num_queues=2,image_type=raw",
          "--fs",
          "socket=test-vm-virtiofs.sock,tag=ro-store",
          "--api-socket",
          "test-vm.sock",
          "--net",
          "mac=02:00:00:00:00:01,tap=vm-tap,num_queues=4",
          "fd=[3,4],mac=02:00:00:00:00:02",
          "--device",
          "path=/sys/bus/pci/devices/0000:01:00.0"};
}

Result<Launch> adopted(const Words& words, bool with_link = false) {
  const Foreign foreign = {.argv = words};
  Vm declared;
  declared.name = "test-vm";
  declared.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}}};
  TRY_LET(const Vm vm, describe(foreign, declared));
  const std::map<std::string, std::size_t> sizes = {{"host-api-key", 7}, {"vmcred.link", 9}};
  const auto plan = credential::make_plan({.vm = vm, .sizes = sizes, .with_link = with_link});
  return adopt(foreign, vm, plan, {.accel = declare::Accel::kvm, .with_link = with_link, .runtime_folder = "/run/x"});
}

std::string body_of(const Request& request) {
  credential::Values values;
  values.emplace("host-api-key", secret("hunter2"));
  values.emplace("vmcred.link", secret("v1 vsock!"));
  const auto body = encode_body(request.body, values);
  if (!body) return body.error().message;
  const auto json = parse_json(body->text());
  return json ? dump_json(*json, Indent::two_spaces) : json.error().message;
}

TEST(CloudHypervisorAdopt, TurnsAMicrovmRunnerIntoRequests) {
  const auto launch = adopted(microvm_runner(), true);
  ASSERT_THAT(launch, Succeeds());
  EXPECT_THAT(launch->argv, ElementsAre("/nix/store/x/bin/cloud-hypervisor", "--api-socket", "fd=5", "--seccomp",
                                        "true", "--event-monitor", "fd=8"));
  EXPECT_THAT(launch->guards, ElementsAre(Guard{Guard::Protocol::rest, "test-vm.sock"}));
  EXPECT_THAT(launch->kept_fds, ElementsAre());
  EXPECT_EQ(launch->link_path, "notify.vsock");
  ASSERT_EQ(launch->requests.size(), 3U);
  EXPECT_THAT(body_of(launch->requests[0]), MatchesGolden("cloud_hypervisor/adopt-microvm.json"));
  EXPECT_EQ(launch->requests[1].path, "/api/v1/vm.add-net");
  EXPECT_THAT(launch->requests[1].fds, ElementsAre(3, 4));
  EXPECT_EQ(launch->requests[2].path, "/api/v1/vm.boot");
}

TEST(CloudHypervisorAdopt, NamesWhatItCannotTranslate) {
  const auto with = [](std::initializer_list<const char*> more) {
    Words words = {"cloud-hypervisor", "--kernel", "/k"};
    words.insert(words.end(), more.begin(), more.end());
    return adopted(words);
  };
  EXPECT_THAT(with({}), Succeeds());
  EXPECT_THAT(with({"--gpu", "on"}), FailsWith(Errc::usage, HasSubstr("'--gpu'")));
  EXPECT_THAT(with({"--disk", "path=/x,sparce=on"}), FailsWith(Errc::usage, HasSubstr("'sparce'")));
  EXPECT_THAT(with({"--disk", "path=/x,image_type=floppy"}), FailsWith(Errc::usage, HasSubstr("'image_type'")));
  EXPECT_THAT(with({"--cpus", "boot=many"}), FailsWith(Errc::usage, HasSubstr("'boot'")));
  EXPECT_THAT(with({"--serial", "disk"}), FailsWith(Errc::usage, HasSubstr("'--serial'")));
  EXPECT_THAT(with({"-v"}), FailsWith(Errc::usage, HasSubstr("'-v'")));
  EXPECT_THAT(with({"--api-socket", "fd=4"}), FailsWith(Errc::usage, HasSubstr("descriptor")));
  EXPECT_THAT(with({"--platform", "uuid=[x"}), FailsWith(Errc::usage, HasSubstr("do not match")));
}

TEST(CloudHypervisorAdopt, RefusesCredentialsOnTheCommandLineWithoutQuotingThem) {
  const auto launch = adopted(
      {"cloud-hypervisor", "--kernel", "/k", "--platform", "oem_strings=[io.systemd.credential:PASSWORD=hunter2]"});
  EXPECT_THAT(launch, FailsWith(Errc::usage, HasSubstr("'PASSWORD'")));
  EXPECT_THAT(launch.error().message, Not(HasSubstr("hunter2")));
}

TEST(CloudHypervisorAdopt, TakesStaticCredentialsOverAsItsOwn) {
  const auto launch = adopted(
      {"cloud-hypervisor", "--kernel", "/k", "--platform",
       "oem_strings=[io.systemd.credential:ENVIRONMENT=test,io.systemd.credential.binary:CLUSTER=YnJpdHRvbg==,mine]"});
  ASSERT_THAT(launch, Succeeds());
  const std::string body = body_of(launch->requests[0]);
  EXPECT_THAT(body, HasSubstr("\"io.systemd.credential:ENVIRONMENT=test\""));
  EXPECT_THAT(body, HasSubstr("\"io.systemd.credential:CLUSTER=britton\""));
  EXPECT_THAT(body, HasSubstr("\"mine\""));
}

TEST(CloudHypervisorAdopt, LooksAtStaticCredentialsAsAtDeclaredOnes) {
  const auto with = [](const std::string& text) {
    return adopted({"cloud-hypervisor", "--kernel", "/k", "--platform", "oem_strings=[" + text + "]"});
  };
  EXPECT_THAT(with("io.systemd.credential:X=ghp_0123456789abcdefghijABCDEFGHIJ012345"),
              FailsWith(Errc::usage, HasSubstr("looks like a secret")));
  EXPECT_THAT(with("io.systemd.credential.binary:DB_PASSWORD=aHVudGVyMg=="),
              FailsWith(Errc::usage, HasSubstr("'DB_PASSWORD'")));
  EXPECT_THAT(with("io.systemd.credential.binary:X=!"), FailsWith(Errc::usage, HasSubstr("no base64")));
  EXPECT_THAT(with("io.systemd.credential:X"), FailsWith(Errc::usage, HasSubstr("no name or no value")));
  EXPECT_THAT(with("io.systemd.credential:API_KEY_FILE=/x"), Succeeds());
  // The same name as a secret of the vm: systemd keeps one of the two.
  EXPECT_THAT(with("io.systemd.credential:API_KEY=/x"), FailsWith(Errc::invalid_data, HasSubstr("same guest name")));
}

TEST(CloudHypervisorAdopt, SplitsAsCloudHypervisorDoes) {
  const auto parts = split_properties("a=1,b=[x,y],c=\"z,z\",d");
  ASSERT_THAT(parts, Succeeds());
  EXPECT_THAT(
      *parts,
      ElementsAre(std::pair<std::string, std::string>("a", "1"), std::pair<std::string, std::string>("b", "[x,y]"),
                  std::pair<std::string, std::string>("c", "z,z"), std::pair<std::string, std::string>("d", "")));
  EXPECT_THAT(split_properties("a=[b"), FailsWith(Errc::usage, HasSubstr("do not match")));
}

}  // namespace
}  // namespace vmcred::vmm::cloud_hypervisor
