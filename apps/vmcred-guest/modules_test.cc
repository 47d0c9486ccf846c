#include "modules.h"

#include "matchers.h"

namespace vmcred::guest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using testing::TestFolder;

/// A guest's folders with Debian's lines.
class Modules : public ::testing::Test {
 protected:
  void SetUp() override {
    guest_.write(
        "modules/modules.dep",
        "kernel/net/vmw_vsock/vmw_vsock_virtio_transport.ko: kernel/net/vmw_vsock/vsock.ko\n"
        "kernel/drivers/virtio/virtio.ko:\n"
        "kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko\n"
        "kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko\n"
        "kernel/drivers/char/virtio-console.ko.xz: kernel/drivers/virtio/virtio_ring.ko "
        "kernel/drivers/virtio/virtio.ko\n");
    guest_.write("cmdline", "quiet console=ttyS0\n");
  }
  [[nodiscard]] std::optional<std::vector<std::string>> files(const std::vector<std::string>& names) const {
    auto found = module_files(names, {.modules = guest_ / "modules",
                                      .settings = {guest_ / "etc/modprobe.d", guest_ / "lib/modprobe.d"},
                                      .command_line = guest_ / "cmdline",
                                      .loaded = guest_ / "sys/module"});
    if (found)
      for (std::string& file : *found) file.erase(0, file.rfind('/') + 1);
    return found;
  }
  TestFolder guest_;
};

TEST_F(Modules, LoadWhatTheyNeedFirstAndOnce) {
  EXPECT_THAT(files({"virtio_pci", "virtio_console"}),
              Optional(ElementsAre("virtio.ko", "virtio_ring.ko", "virtio_pci.ko", "virtio-console.ko.xz")));
}

TEST_F(Modules, ThatAreLoadedOrUnknownAreLeftOut) {
  guest_.write("sys/module/virtio/initstate", "live\n");
  guest_.write("sys/module/virtio_pci/initstate", "live\n");
  EXPECT_THAT(files({"virtio_pci", "virtio_mmio", "virtio_console"}),
              Optional(ElementsAre("virtio_ring.ko", "virtio-console.ko.xz")));
  EXPECT_THAT(files({"virtio_mmio"}), Optional(IsEmpty()));
}

TEST_F(Modules, ThatAreAboutToBeLoadedAreWaitedFor) {
  guest_.write("sys/module/virtio/initstate", "live\n");
  guest_.write("sys/module/virtio_ring/initstate", "coming\n");
  guest_.write("sys/module/virtio_pci/initstate", "coming\n");
  EXPECT_THAT(files({"virtio_pci"}), Optional(ElementsAre("virtio_ring.ko", "virtio_pci.ko")));
  guest_.write("sys/module/virtio_mmio/parameters/built_in", "1\n");  // no state: it is part of the kernel
  EXPECT_THAT(files({"virtio_mmio"}), Optional(IsEmpty()));
}

TEST_F(Modules, OutsideTheFolderKeepTheirPath) {
  guest_.write("modules/modules.dep", "/opt/extra/virtio_pci.ko: /opt/extra/virtio.ko\nno colon\n");
  EXPECT_THAT(files({"virtio_pci"}), Optional(ElementsAre("virtio.ko", "virtio_pci.ko")));
}

TEST_F(Modules, WithSettingsAreModprobes) {
  for (const auto& [file, text] :
       std::map<std::string, std::string>{{"etc/modprobe.d/hardening.conf", "install virtio-console /bin/false\n"},
                                          {"lib/modprobe.d/a.conf", "options virtio_pci force_legacy=1\n"},
                                          {"modules/modules.softdep", "softdep virtio_console pre: hvc\n"},
                                          {"cmdline", "virtio_pci.force_legacy=1\n"}}) {
    SetUp();
    guest_.write(file, text);
    EXPECT_EQ(files({"virtio_pci", "virtio_console"}), std::nullopt) << file;
    EXPECT_THAT(files({"vmw_vsock_virtio_transport"}),
                Optional(ElementsAre("vsock.ko", "vmw_vsock_virtio_transport.ko")));
    guest_.write(file, "");
  }
}

TEST_F(Modules, ThatNeedOneWithSettingsAreModprobes) {
  for (const auto& [file, text] :
       std::map<std::string, std::string>{{"etc/modprobe.d/hardening.conf", "install vsock /bin/false\n"},
                                          {"lib/modprobe.d/a.conf", "options vsock max=1\n"},
                                          {"modules/modules.softdep", "softdep vsock pre: hvc\n"},
                                          {"cmdline", "quiet vsock.max=1\n"}}) {
    SetUp();
    guest_.write(file, text);
    EXPECT_EQ(files({"vmw_vsock_virtio_transport"}), std::nullopt) << file;
    EXPECT_THAT(files({"virtio_pci"}), Optional(ElementsAre("virtio.ko", "virtio_ring.ko", "virtio_pci.ko")));
    guest_.write(file, "");
  }
}

TEST_F(Modules, WhoseNamesAPatternMeansAreModprobes) {
  for (const std::string pattern : {"virtio*", "virtio-p?i", "virtio_[a-z]ci", "*"}) {
    guest_.write("etc/modprobe.d/hardening.conf", "install " + pattern + " /bin/false\n");
    EXPECT_EQ(files({"virtio_pci"}), std::nullopt) << pattern;
  }
}

TEST_F(Modules, AreTakenForOthersInNoSetting) {
  guest_.write(
      "etc/modprobe.d/a.conf",
      "# install virtio_pci by * yourself\nalias vsock-* vmw_vsock_virtio_transport_common\ninstall usb* /bin/false\n");
  guest_.write("cmdline", "root=/dev/disk/by-id/virtio-root virtio_net.napi_tx=1\n");
  EXPECT_THAT(files({"virtio_pci"}), Optional(ElementsAre("virtio.ko", "virtio_ring.ko", "virtio_pci.ko")));
}

TEST_F(Modules, WithoutTheirListAreModprobes) {
  const TestFolder empty;
  EXPECT_EQ(module_files(
                {"virtio"},
                {.modules = empty.path(), .settings = {}, .command_line = empty / "cmdline", .loaded = empty.path()}),
            std::nullopt);
}

}  // namespace
}  // namespace vmcred::guest
