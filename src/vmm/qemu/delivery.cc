#include "vmm/qemu/delivery.h"

#include <fmt/format.h>

#include "credential/limits.h"

namespace vmcred::vmm::qemu {
namespace {

constexpr std::string_view kFwCfgFolder = "opt/io.systemd.credentials/";
constexpr std::size_t kOwnFwCfgFiles = 64;      // more than QEMU has of its own on any machine type
constexpr std::uint64_t kTicksPerSecond = 250;  // CONFIG_HZ of Debian's kernels: what lpj= counts in

bool says(std::string_view line, std::string_view key) {
  for (std::size_t at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
    if (at == 0 || line[at - 1] == ' ') return true;
  }
  return false;
}

}  // namespace

std::string add_blob(Launch& launch, Blob blob) {
  launch.blobs.push_back(std::move(blob));
  return fmt::format("/proc/self/fd/{}", launch.first_blob_fd + static_cast<int>(launch.blobs.size()) - 1);
}

void put_credentials(Arguments& arguments, Launch& launch, const credential::Plan& plan) {
  for (const credential::Structure& structure : plan.structures) {
    // One option each: QEMU counts files, and publishes that count as the number of structures.
    arguments.option("smbios", "", {{"file", add_blob(launch, StructureBlob{structure})}});
  }
  if (plan.fw_cfg.size() > credential::kFwCfgItemsInDefaultSlots) {
    arguments.option("global", fmt::format("fw_cfg.x-file-slots={}", plan.fw_cfg.size() + kOwnFwCfgFiles));
  }
  for (const credential::FwCfgItem& item : plan.fw_cfg) {
    arguments.option("fw_cfg", "",
                     {{"name", std::string(kFwCfgFolder) + item.guest}, {"file", add_blob(launch, ValueBlob{item})}});
  }
}

void put_link(Arguments& arguments, Launch& launch, std::string_view bus) {
  launch.link = LinkKind::serial;
  arguments.option("device", fmt::format("virtio-serial-{}", bus), {{"id", "vmcred-link"}, {"max_ports", "2"}});
  arguments.option("chardev", "socket", {{"id", "vmcred"}, {"fd", std::to_string(launch.link_fd)}});
  arguments.option("device", "virtserialport",
                   {{"bus", "vmcred-link.0"},
                    {"chardev", "vmcred"},
                    {"name", std::string(credential::kLinkCredential)},
                    {"id", "vmcred0"}});
}

std::string clock_words(std::string_view line, std::uint64_t khz) {
  std::string words;
  if (khz == 0) return words;
  if (!says(line, "tsc_early_khz=")) words += fmt::format(" tsc_early_khz={}", khz);
  if (!says(line, "lpj=")) words += fmt::format(" lpj={}", khz * 1000 / kTicksPerSecond);
  return words;
}

}  // namespace vmcred::vmm::qemu
