#include "vmm/kvmtool/kvmtool.h"

#include "vmm/blob.h"

namespace vmcred::vmm::kvmtool {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;

Result<> check(const declare::Vm& vm, const Context& context) {
  if (context.accel != declare::Accel::kvm) {
    return hint(fail(Errc::unavailable, "kvmtool needs KVM, which this machine does not have"),
                "use hypervisor = \"qemu\"");
  }
  if (vm.kernel.empty()) {
    return hint(fail(Errc::usage, "kvmtool needs a kernel for '{}'", vm.name), "declare kernel = \"…\"");
  }
  if (context.with_link) {
    return hint(fail(Errc::usage, "kvmtool has no link to the supervisor, so no receipt and no reference"),
                "declare guest.agent = false");
  }
  if (!vm.shares.empty()) return fail(Errc::usage, "kvmtool has no virtiofs shares");
  for (const declare::Disk& disk : vm.disks) {
    if (disk.path.contains(','))
      return fail(Errc::usage, "kvmtool takes no comma in the path of a disk: '{}'", disk.path);
  }
  return {};
}

}  // namespace

Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context) {
  TRY(check(vm, context));
  TRY(credential::check_deliverable(plan));
  Launch launch = {.control = Control::none, .exit_tells = ExitTells::powered_off};
  // It makes a folder for its sockets there, and does not start without.
  launch.environment = {"HOME=" + context.runtime_folder};
  auto& argv = launch.argv;
  const auto option = [&](std::string name, std::string value) {
    argv.push_back(std::move(name));
    argv.push_back(std::move(value));
  };
  argv = {program_of(vm), "run"};
  option("--name", vm.name);
  option("--cpus", std::to_string(vm.vcpus));
  option("--mem", std::to_string(vm.memory_bytes / kMebibyte));
  option("--console", "serial");
  option("--kernel", vm.kernel);
  if (!plan.initrd.empty()) {
    option("--initrd", fmt::format("/proc/self/fd/{}", launch.first_blob_fd));
    launch.blobs.push_back(InitrdBlob{.base = vm.initrd, .entries = plan.initrd});
  } else if (!vm.initrd.empty()) {
    option("--initrd", vm.initrd);
  }
  option("--params", "console=ttyS0 panic=-1" + (vm.command_line.empty() ? "" : " " + vm.command_line));
  for (const declare::Disk& disk : vm.disks) option("--disk", disk.path + (disk.read_only ? ",ro" : ""));
  for (const declare::Network& network : vm.networks) {
    if (network.type != "tap" && network.type != "user") return fail(Errc::usage, "no network type '{}'", network.type);
    std::string value = network.type == "tap" ? "mode=tap,tapif=" + network.tap : "mode=user";
    if (!network.mac.empty()) value += ",guest_mac=" + network.mac;
    option("--network", std::move(value));
  }
  if (vm.vsock_cid) option("--vsock", std::to_string(*vm.vsock_cid));
  argv.insert(argv.end(), vm.extra_arguments.begin(), vm.extra_arguments.end());
  return launch;
}

}  // namespace vmcred::vmm::kvmtool
