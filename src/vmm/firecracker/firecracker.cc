#include "vmm/firecracker/firecracker.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "vmm/blob.h"
#include "vmm/firecracker/log_level.h"
#include "vmm/firecracker/options.h"
#include "vmm/firecracker/requests.h"

namespace vmcred::vmm::firecracker {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;
constexpr unsigned kFirstGuestCid = 3;

std::string kernel_line(const declare::Vm& vm) {
  // No ACPI power-off: a reset through the keyboard controller is how a guest ends Firecracker.
  std::string line = "console=ttyS0 reboot=k panic=-1 pci=off";
  if (!vm.command_line.empty()) line += " " + vm.command_line;
  return line;
}

Request boot_source(const declare::Vm& vm, const credential::Plan& plan, Launch& launch) {
  Json json = Json::object();
  json.set("kernel_image_path", vm.kernel);
  if (!plan.initrd.empty()) {
    json.set("initrd_path", fmt::format("/proc/self/fd/{}", launch.first_blob_fd));
    launch.blobs.push_back(InitrdBlob{.base = vm.initrd, .entries = plan.initrd});
  } else if (!vm.initrd.empty()) {
    json.set("initrd_path", vm.initrd);
  }
  return put_boot_source(std::move(json), kernel_line(vm), plan);
}

Result<> add_disks(const declare::Vm& vm, Launch& launch) {
  std::size_t number = 0;
  for (const declare::Disk& disk : vm.disks) {
    if (disk.format != "raw") {
      return hint(fail(Errc::usage, "Firecracker reads raw disks only, '{}' is {}", disk.path, disk.format),
                  "convert it with 'qemu-img convert -O raw'");
    }
    const std::string id = fmt::format("disk{}", number++);
    Json json = Json::object();
    json.set("drive_id", id)
        .set("path_on_host", disk.path)
        .set("is_root_device", false)
        .set("is_read_only", disk.read_only);
    launch.requests.push_back(put("/drives/" + id, json));
  }
  return {};
}

Result<> add_networks(const declare::Vm& vm, Launch& launch) {
  std::size_t number = 0;
  for (const declare::Network& network : vm.networks) {
    if (network.type != "tap") {
      return hint(fail(Errc::usage, "Firecracker has no network of type '{}'", network.type), "use type = \"tap\"");
    }
    const std::string id = fmt::format("net{}", number++);
    Json json = Json::object();
    json.set("iface_id", id).set("host_dev_name", network.tap);
    if (!network.mac.empty()) json.set("guest_mac", network.mac);
    launch.requests.push_back(put("/network-interfaces/" + id, json));
  }
  return {};
}

}  // namespace

Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context) {
  if (context.accel != declare::Accel::kvm) {
    return hint(fail(Errc::unavailable, "Firecracker needs KVM, which this machine does not have"),
                "use hypervisor = \"qemu\"");
  }
  if (vm.kernel.empty()) {
    return hint(fail(Errc::usage, "Firecracker needs a kernel for '{}'", vm.name), "declare kernel = \"…\"");
  }
  if (!vm.shares.empty()) return fail(Errc::usage, "Firecracker has no shared folders");
  if (vm.memory_bytes % kMebibyte != 0) return fail(Errc::usage, "Firecracker takes memory in whole MiB");
  TRY(check_options(vm.extra_arguments, AllowedOptions(vm.allowed_options), Origin::extra_arguments));
  TRY(credential::check_deliverable(plan));
  Launch launch = {.control = Control::rest_socket, .control_path = context.runtime_folder + "/firecracker.sock"};
  launch.argv = {program_of(vm), "--id", vm.name, "--api-sock", launch.control_path};
  launch.argv.insert(launch.argv.end(), vm.extra_arguments.begin(), vm.extra_arguments.end());
  bound_log_level(launch.argv, launch);

  Json machine = Json::object();
  machine.set("vcpu_count", static_cast<int>(vm.vcpus))
      .set("mem_size_mib", static_cast<std::size_t>(vm.memory_bytes / kMebibyte));
  launch.requests.push_back(put("/machine-config", machine));
  launch.requests.push_back(boot_source(vm, plan, launch));
  TRY(add_disks(vm, launch));
  TRY(add_networks(vm, launch));
  if (context.with_link || vm.vsock_cid) {
    launch.link_path = context.runtime_folder + "/vsock.sock";
    if (context.with_link) launch.link = LinkKind::vsock;
    Json vsock = Json::object();
    vsock.set("guest_cid", static_cast<int>(vm.vsock_cid.value_or(kFirstGuestCid))).set("uds_path", launch.link_path);
    launch.requests.push_back(put("/vsock", vsock));
  }
  add_start_and_stop(launch, vm);
  if (!context.runtime_folder.empty()) add_guard(launch, context.runtime_folder + "/api.sock", context);
  return launch;
}

}  // namespace vmcred::vmm::firecracker
