#include "vmm/crosvm/crosvm.h"

#include "vmm/blob.h"
#include "vmm/crosvm/conflicts.h"
#include "vmm/crosvm/options.h"

namespace vmcred::vmm::crosvm {
namespace {

constexpr std::uint64_t kMebibyte = 1024 * 1024;

/// A value of crosvm's key-value options (serde_keyvalue): in quotes, so that commas are part of it.
std::string option_value(std::string_view value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

Result<> check(const declare::Vm& vm, const Context& context) {
  if (context.accel != declare::Accel::kvm) {
    return hint(fail(Errc::unavailable, "crosvm needs KVM, which this machine does not have"),
                "use hypervisor = \"qemu\"");
  }
  if (vm.kernel.empty()) {
    return hint(fail(Errc::usage, "crosvm needs a kernel for '{}'", vm.name), "declare kernel = \"…\"");
  }
  if (context.with_link) {
    return hint(fail(Errc::usage, "crosvm has no link to the supervisor, so no receipt and no reference"),
                "declare guest.agent = false");
  }
  if (vm.memory_bytes % kMebibyte != 0) return fail(Errc::usage, "crosvm takes memory in whole MiB");
  for (const std::string& word : vm.extra_arguments) {
    if (word.starts_with("--smbios") || word.starts_with("--oem-strings")) {
      return hint(
          fail(Errc::usage, "the extra argument '{}' cannot be used: every process of the host can read it", word),
          "declare what it holds as credentials");
    }
  }
  TRY(refuse_control_socket(vm.extra_arguments, context));
  return check_options(vm.extra_arguments, AllowedOptions(vm.allowed_options), Origin::extra_arguments);
}

}  // namespace

Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context) {
  TRY(check(vm, context));
  TRY(credential::check_deliverable(plan));
  Launch launch = {.control = Control::none, .console_tells = true, .exit_tells = ExitTells::powered_off};
  auto& argv = launch.argv;
  const auto option = [&](std::string name, std::string value) {
    argv.push_back(std::move(name));
    argv.push_back(std::move(value));
  };
  argv = {program_of(vm), "run"};
  option("--cpus", fmt::format("num-cores={}", vm.vcpus));
  option("--mem", fmt::format("size={}", vm.memory_bytes / kMebibyte));
  option("--serial", "type=stdout,hardware=serial,num=1,console=true");
  for (const declare::Disk& disk : vm.disks) {
    option("--block", fmt::format("path={},ro={}", option_value(disk.path), disk.read_only));
  }
  for (const declare::Network& network : vm.networks) {
    if (network.type != "tap") {
      return hint(fail(Errc::usage, "crosvm has no network of type '{}'", network.type), "use type = \"tap\"");
    }
    std::string value = "tap-name=" + option_value(network.tap);
    if (!network.mac.empty()) value += ",mac=" + option_value(network.mac);
    option("--net", std::move(value));
  }
  for (const declare::Share& share : vm.shares) {
    option("--vhost-user", fmt::format("type=fs,socket={}", option_value(share.socket)));
  }
  if (vm.vsock_cid) option("--vsock", fmt::format("cid={}", *vm.vsock_cid));
  if (!plan.initrd.empty()) {
    option("--initrd", fmt::format("/proc/self/fd/{}", launch.first_blob_fd));
    launch.blobs.push_back(InitrdBlob{.base = vm.initrd, .entries = plan.initrd});
  } else if (!vm.initrd.empty()) {
    option("--initrd", vm.initrd);
  }
  option("--params", "panic=-1" + (vm.command_line.empty() ? "" : " " + vm.command_line));
  argv.insert(argv.end(), vm.extra_arguments.begin(), vm.extra_arguments.end());
  argv.push_back(vm.kernel);
  return launch;
}

}  // namespace vmcred::vmm::crosvm
