#include "vmm/cloud_hypervisor/cloud_hypervisor.h"

#include "vmm/blob.h"
#include "vmm/cloud_hypervisor/body.h"
#include "vmm/cloud_hypervisor/guard.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

constexpr std::string_view kVsockSocket = "vsock.sock";

std::string kernel_line(const declare::Vm& vm) {
  std::string line = vm.architecture == "aarch64" ? "console=ttyAMA0" : "console=ttyS0";
  line += " panic=-1 reboot=t";
  if (!vm.command_line.empty()) line += " " + vm.command_line;
  return line;
}

Result<Json> payload(const declare::Vm& vm, const credential::Plan& plan, Launch& launch) {
  if (vm.kernel.empty()) {
    return hint(fail(Errc::usage, "cloud-hypervisor needs a kernel for '{}'", vm.name), "declare kernel = \"…\"");
  }
  Json json = Json::object();
  json.set("kernel", vm.kernel);
  if (!plan.initrd.empty()) {
    json.set("initramfs", fmt::format("/proc/self/fd/{}", launch.first_blob_fd));
    launch.blobs.push_back(InitrdBlob{.base = vm.initrd, .entries = plan.initrd});
  } else if (!vm.initrd.empty()) {
    json.set("initramfs", vm.initrd);
  }
  json.set("cmdline", kernel_line(vm));
  return json;
}

Result<Json> disks(const declare::Vm& vm) {
  Json all = Json::array();
  for (const declare::Disk& disk : vm.disks) {
    if (disk.format != "raw" && disk.format != "qcow2") {
      return hint(fail(Errc::usage, "the disk '{}' has the unknown format '{}'", disk.path, disk.format),
                  "one of raw, qcow2");
    }
    Json one = Json::object();
    // Said, not guessed: a guest could write the header of another format into a raw disk.
    one.set("path", disk.path)
        .set("readonly", disk.read_only)
        .set("image_type", disk.format == "raw" ? "Raw" : "Qcow2");
    all.push(std::move(one));
  }
  return all;
}

Result<Json> networks(const declare::Vm& vm) {
  Json all = Json::array();
  for (const declare::Network& network : vm.networks) {
    if (network.type != "tap") {
      return hint(fail(Errc::usage, "cloud-hypervisor has no network of type '{}'", network.type),
                  "use type = \"tap\"");
    }
    Json one = Json::object();
    one.set("tap", network.tap);
    if (!network.mac.empty()) one.set("mac", network.mac);
    all.push(std::move(one));
  }
  return all;
}

Json shares(const declare::Vm& vm) {
  Json all = Json::array();
  for (const declare::Share& share : vm.shares) {
    Json one = Json::object();
    one.set("tag", share.tag).set("socket", share.socket).set("num_queues", 1).set("queue_size", 1024);
    all.push(std::move(one));
  }
  return all;
}

Json mode(std::string_view name) {
  Json json = Json::object();
  json.set("mode", name);
  return json;
}

}  // namespace

Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context) {
  if (context.accel != declare::Accel::kvm) {
    return hint(fail(Errc::unavailable, "cloud-hypervisor needs KVM, which this machine does not have"),
                "use hypervisor = \"qemu\"");
  }
  if (!vm.extra_arguments.empty()) {
    return hint(fail(Errc::usage, "cloud-hypervisor gets its vm by its API, so extra arguments would not reach it"),
                "remove extra-arguments, or start the vm with 'vmcred exec'");
  }
  TRY(credential::check_deliverable(plan));
  Launch launch = {.argv = {program_of(vm), "--api-socket", ""}, .control = Control::rest_fd, .event_fd = kEventFd};
  launch.argv.back() = fmt::format("fd={}", launch.control_fd);
  add_event_monitor(launch);

  Json config = Json::object();
  Json cpus = Json::object();
  cpus.set("boot_vcpus", static_cast<int>(vm.vcpus)).set("max_vcpus", static_cast<int>(vm.vcpus));
  Json memory = Json::object();
  memory.set("size", static_cast<std::size_t>(vm.memory_bytes))
      .set("mergeable", false)
      .set("shared", !vm.shares.empty());
  config.set("cpus", std::move(cpus)).set("memory", std::move(memory));
  TRY_LET(Json payload_json, payload(vm, plan, launch));
  config.set("payload", std::move(payload_json));
  TRY_LET(Json disks_json, disks(vm));
  if (!disks_json.if_array()->empty()) config.set("disks", std::move(disks_json));
  TRY_LET(Json networks_json, networks(vm));
  if (!networks_json.if_array()->empty()) config.set("net", std::move(networks_json));
  if (!vm.shares.empty()) config.set("fs", shares(vm));
  config.set("serial", mode("Tty")).set("console", mode("Off")).set("pvpanic", true);
  if (context.with_link || vm.vsock_cid) {
    launch.link_path = context.runtime_folder + "/" + std::string(kVsockSocket);
    if (context.with_link) launch.link = LinkKind::vsock;
    Json vsock = Json::object();
    vsock.set("cid", static_cast<int>(vm.vsock_cid.value_or(kDefaultCid))).set("socket", launch.link_path);
    config.set("vsock", std::move(vsock));
  }
  TRY_LET(launch.requests, requests_for(std::move(config), plan, context));
  add_other_requests(launch);
  if (!context.runtime_folder.empty()) add_guard(launch, context.runtime_folder + "/api.sock", context);
  return launch;
}

}  // namespace vmcred::vmm::cloud_hypervisor
