#include "vmm/cloud_hypervisor/adopt.h"

#include <algorithm>

#include "vmm/cloud_hypervisor/body.h"
#include "vmm/cloud_hypervisor/guard.h"
#include "vmm/cloud_hypervisor/options.h"
#include "vmm/cloud_hypervisor/take_over.h"
#include "vmm/foreign.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

std::vector<std::string> words_of(const Foreign& foreign) { return {foreign.argv.begin() + 1, foreign.argv.end()}; }

}  // namespace

bool recognises(const Foreign& foreign) { return program_name(foreign) == "cloud-hypervisor"; }

Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm) {
  TRY_LET(const Translated translated, translate(words_of(foreign), AllowedOptions(vm.allowed_options)));
  vm.hypervisor = declare::Hypervisor::cloud_hypervisor;
  vm.kernel.clear();
  vm.initrd.clear();
  if (const Json* payload = translated.config.find("payload")) {
    vm.kernel = payload->string_at("kernel");
    vm.initrd = payload->string_at("initramfs");
    TRY(check_kernel_line(payload->string_at("cmdline")));
  }
  if (const Json* size = translated.config.find("memory")->find("size"); size->if_integer() != nullptr) {
    vm.memory_bytes = static_cast<std::uint64_t>(*size->if_integer());
  }
  for (const std::string& text : translated.oem_strings) {
    TRY(take_over(vm, text));
  }
  return vm;
}

Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context) {
  const std::vector<std::string> words = words_of(foreign);
  TRY_LET(Translated translated, translate(words, AllowedOptions(vm.allowed_options)));
  TRY(credential::check_deliverable(plan));
  const bool own_monitor = std::ranges::find(translated.process, "--event-monitor") != translated.process.end();
  Launch launch = {.control = Control::rest_fd, .event_fd = own_monitor ? 0 : kEventFd};
  make_room_for_fds(launch, words);
  launch.argv = {foreign.argv.front(), "--api-socket", fmt::format("fd={}", launch.control_fd)};
  launch.argv.insert(launch.argv.end(), translated.process.begin(), translated.process.end());
  if (!own_monitor) add_event_monitor(launch);
  if (!translated.api_socket.empty()) add_guard(launch, translated.api_socket, context);

  if (!plan.initrd.empty()) {
    Json payload = *translated.config.find("payload");  // the plan has an overlay only where there is an initrd
    launch.blobs.push_back(InitrdBlob{.base = payload.string_at("initramfs"), .entries = plan.initrd});
    payload.set("initramfs", fmt::format("/proc/self/fd/{}", launch.first_blob_fd));
    translated.config.set("payload", std::move(payload));
  }
  // Also without a link: what a killed VMM leaves there has to go.
  const Json* const vsock = translated.config.find("vsock");
  if (vsock != nullptr) launch.link_path = vsock->string_at("socket");
  if (context.with_link) {
    launch.link = LinkKind::vsock;
    if (vsock == nullptr) {
      launch.link_path = context.runtime_folder + "/vsock.sock";
      Json added = Json::object();
      added.set("cid", static_cast<int>(kDefaultCid)).set("socket", launch.link_path);
      translated.config.set("vsock", std::move(added));
    }
  }
  TRY_LET(launch.requests, requests_for(std::move(translated.config), plan, context));
  for (FdNetwork& network : translated.fd_networks) {
    launch.requests.insert(
        launch.requests.end() - 1,
        Request{
            .method = "PUT", .path = "/api/v1/vm.add-net", .body = {dump_json(network.config)}, .fds = network.fds});
    // They travel with the request, so that the VMM does not hold them twice.
    for (const int fd : network.fds) std::erase(launch.kept_fds, fd);
  }
  add_other_requests(launch);
  return launch;
}

}  // namespace vmcred::vmm::cloud_hypervisor
