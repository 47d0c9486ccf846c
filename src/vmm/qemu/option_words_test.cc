#include "vmm/qemu/option_words.h"

#include "matchers.h"

namespace vmcred::vmm::qemu {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

using Words = std::vector<std::string>;

Result<> check(const Words& words, const Words& allowed = {}) {
  const AllowedOptions exceptions(allowed);
  TRY_LET(const auto options, read_options(words, exceptions, Origin::command_line));
  for (const GivenOption& option : options) TRY(check_value(option, exceptions, Origin::command_line));
  return {};
}

TEST(QemuOptions, EveryDoorToTheGuestsMemoryIsRefused) {
  for (const Words& words : {
           Words{"-gdb", "tcp::1"},
           Words{"-s"},
           Words{"--gdb", "tcp::1"},
           Words{"-async-teardown", "-gdb", "tcp::1"},
           Words{"-enable-sync-profile", "-gdb", "tcp::1"},
           Words{"-enable-fips", "-s"},
           Words{"-no-hpet", "-qtest", "stdio"},
           Words{"-qtest", "unix:/tmp/q"},
           Words{"-accel", "qtest"},
           Words{"-M", "q35,accel=qtest"},
           Words{"-M", "q35,accel=kvm:qtest"},
           Words{"-object", "qtest,id=q,chardev=c"},
           Words{"-parallel", "mon:stdio"},
           Words{"-serial", "mon:unix:/x,server"},
           Words{"-debugcon", "mon:stdio"},
           Words{"-plugin", "x.so"},
           Words{"-mem-path", "/dev/shm/x"},
           Words{"-mem-path", "/tmp"},
           Words{"-object", "memory-backend-file,id=m,size=1G,mem-path=/dev/shm/x,share=on"},
           Words{"-object", "memory-backend-file,id=m,size=1G,mem-path=/dev/shm/x,share"},
           Words{"-object", "memory-backend-file,id=m,share=off,size=1G,mem-path=/dev/shm/x,share=yes"},
           Words{"-object", "memory-backend-file,id=m,size=1G,share=on,mem-path=/dev/hugepages/../shm/x"},
           Words{"-object",
                 R"({"qom-type":"memory-backend-file","id":"m","size":1,"mem-path":"/dev/shm/x","share":true})"},
           Words{"-object", "qom-type=memory-backend-ram,qom-type=qtest,id=q"},
           Words{"-object", R"({"qom-type":"x-remote-object"})"},
           Words{"-object", "monitor-qmp,id=m,chardev=c"},
           Words{"-object", "id=x"},
           Words{"-object", "{no json"},
           Words{"-device", "ivshmem-plain,memdev=m"},
           Words{"-device", R"({"driver":"ivshmem-doorbell","id":"x"})"},
           Words{"-device", "virtio-rng-pci,driver=ivshmem-plain"},
           Words{"-device", "driver=vhost-user-blk-pci,chardev=c"},
           Words{"-device", R"({"driver":"vhost-user-gpu-pci","chardev":"c"})"},
           Words{"-device", "x-pci-proxy-dev"},
           Words{"-device", "pvrdma"},
           Words{"-device", "hv-syndbg"},
           Words{"-device", "vfio-user-pci,socket=x"},
           Words{"-netdev", "vhost-user,id=n,chardev=c"},
           Words{"-netdev", R"({"type":"vhost-user","id":"n","chardev":"c"})"},
           Words{"-netdev", "passt,id=n,vhost-user=on"},
           Words{"-nic", "vhost-user,chardev=c"},
           Words{"-blockdev", R"({"driver":"virtio-blk-vhost-user","path":"x"})"},
           Words{"-chardev", "testdev,id=c"},
           Words{"-object", "filter-dump,id=f,netdev=n,file=x"},
           Words{"-action", "shutdown=pause"},
           Words{"-action", "panic=none,shutdown=pause"},
           Words{"-action", "reboot=reset"},
           Words{"-set", "device.x.driver=ivshmem-plain"},
           Words{"-d", "cpu"},
           Words{"-trace", "x"},
           Words{"-icount", "shift=1,rr=record,rrfile=x"},
           Words{"-readconfig", "x"},
           Words{"-smbios", "type=11,value=x"},
           Words{"-smbios", "type=0xb,value=x"},
           Words{"-smbios", "type=013,value=x"},
           Words{"-smbios", "type=1,type= 11,value=x"},
           Words{"-smbios", "type=+11,value=x"},
           Words{"-smbios", "file=x"},
           Words{"-smbios", "type=x"},
           Words{"-incoming", "tcp:0:1"},
           Words{"-loadvm", "x"},
           Words{"-perfmap"},
       }) {
    SCOPED_TRACE(::testing::PrintToString(words));
    const Result<> checked = check(words);
    EXPECT_THAT(checked, FailsWith(Errc::usage, HasSubstr("cannot be kept")));
    if (!checked) EXPECT_NE(checked.error().hint, "");
  }
}

TEST(QemuOptions, AnUnknownOneIsRefusedAndMayBeAllowedByName) {
  EXPECT_THAT(
      check({"-frobnicate"}),
      FailsWith(Errc::usage, HasSubstr("'-frobnicate' on the command line cannot be kept: vmcred does not know")));
  EXPECT_THAT(check({"-frobnicate"}).error().hint, HasSubstr("--allow-option frobnicate"));
  EXPECT_THAT(check({"-frobnicate", "-s"}, {"frobnicate"}), FailsWith(Errc::usage, HasSubstr("'-s'")));
  EXPECT_THAT(check({"-frobnicate"}, {"frobnicate"}), Succeeds());
  EXPECT_THAT(check({"--frobnicate", "-s"}, {"--frobnicate="}), Succeeds());
  EXPECT_THAT(check({"-frobnicate"}, {"frobnicate="}), FailsWith(Errc::usage, HasSubstr("its value is missing")));
  EXPECT_THAT(check({"-frobnicator"}, {"frobnicate", "frobnicat="}),
              FailsWith(Errc::usage, HasSubstr("'-frobnicator'")));
  // Of a type.
  EXPECT_THAT(check({"-device", "frobnicator,id=x"}), FailsWith(Errc::usage, HasSubstr("'-device frobnicator'")));
  EXPECT_THAT(check({"-device", "frobnicator,id=x"}, {"device=frobnicator"}), Succeeds());
  EXPECT_THAT(check({"-device", "ivshmem-plain"}, {"device=frobnicator"}),
              FailsWith(Errc::usage, HasSubstr("shares memory")));
  EXPECT_THAT(check({"-device", "ivshmem-plain"}, {"device=ivshmem-plain"}), Succeeds());
  // What opens the guest's memory has no exception.
  EXPECT_THAT(check({"-gdb", "tcp::1"}, {"gdb=", "gdb"}), FailsWith(Errc::usage, HasSubstr("a debugger")));
}

TEST(QemuOptions, AWordIsTakenForAValueOnlyWhereQemuDoesSo) {
  EXPECT_THAT(check({"-device"}), FailsWith(Errc::usage, HasSubstr("its value is missing")));
  EXPECT_THAT(check({"-append", "-s"}), Succeeds());
  EXPECT_THAT(check({"-snapshot", "-s"}), FailsWith(Errc::usage, HasSubstr("'-s'")));
  EXPECT_THAT(check({"disk.img"}), Succeeds());
  EXPECT_THAT(check({"-"}), FailsWith(Errc::usage, HasSubstr("does not know")));
}

}  // namespace
}  // namespace vmcred::vmm::qemu
