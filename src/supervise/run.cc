#include "supervise/run.h"

#include <sys/stat.h>

#include "link/address.h"
#include "supervise/vmm_process.h"

namespace vmcred::supervise {
namespace {

constexpr std::chrono::seconds kReceiptLimitKvm{90};
constexpr std::chrono::seconds kReceiptLimitTcg{300};

std::map<std::string, std::size_t> sizes_of(const Secrets& secrets) {
  std::map<std::string, std::size_t> sizes;
  for (const auto& [host, value] : secrets) sizes.emplace(host, value.size());
  return sizes;
}

std::chrono::milliseconds receipt_limit(const RunRequest& request, declare::Accel accel) {
  if (request.receipt_limit) return *request.receipt_limit;
  if (request.vm.receipt_timeout) return *request.vm.receipt_timeout;
  return accel == declare::Accel::kvm ? kReceiptLimitKvm : kReceiptLimitTcg;
}

}  // namespace

bool receipt_required(const declare::Vm& vm) {
  return vm.receipt ? *vm.receipt == declare::ReceiptMode::required : vm.guest.agent;
}

Result<Outcome> run_vm(const RunRequest& request, const SecretSource& secret_source) {
  const declare::Vm& vm = request.vm;
  // Whatever is made from here on belongs to this uid alone, and no dump of this process holds a value.
  ::umask(0077);
  forbid_core_dumps();
  TRY_LET(const std::string path, runtime_path(request.places, vm.name));
  TRY_LET(const RuntimeFolder folder, RuntimeFolder::hold(path, vm.name));
  TRY_LET(const declare::Accel accel, choose_accel(request.accel.value_or(vm.accel), request.accel_doors));

  TRY_LET(Secrets secrets, secret_source());
  // Every declared value is in memory, none is missing or empty by mistake.

  const bool with_link = vm.guest.agent;
  auto sizes = sizes_of(secrets);
  vmm::Context context = {.accel = accel, .with_link = with_link, .runtime_folder = folder.path()};
  if (accel == declare::Accel::tcg && vm.qemu_machine == "microvm") context.host_tsc_khz = measure_tsc_khz();
  credential::Plan plan;
  vmm::Launch launch;
  // The token's line depends on the kind of link, which the backend chooses: two rounds where it is not the usual one.
  for (auto kind = vmm::LinkKind::serial;; kind = launch.link) {
    if (with_link) sizes[std::string(credential::kLinkCredential)] = link_line_for(kind, Secret(link::kTokenSize)).size();
    plan = credential::make_plan({.vm = vm, .sizes = sizes, .with_link = with_link, .with_reference = with_link});
    TRY(credential::check_deliverable(plan));
    TRY_LET(launch, request.backend.launch(vm, plan, context));
    if (!with_link || launch.link == kind || launch.link == vmm::LinkKind::none) break;
  }
  // Every value has a channel that carries it whole.

  return supervise({.vm = vm,
                    .launch = std::move(launch),
                    .secrets = std::move(secrets),
                    .by_reference = !plan.reference.empty(),
                    .expect_receipt = receipt_required(vm),
                    .receipt_limit = receipt_limit(request, accel),
                    .stop = request.stop,
                    .folder = folder.path(),
                    .accel = accel == declare::Accel::kvm ? "kvm" : "tcg",
                    .notifier = request.notifier,
                    .observer = request.observer,
                    .randomness = request.randomness});
}

}  // namespace vmcred::supervise
