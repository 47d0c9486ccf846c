#include "supervise/run.h"

#include <sys/stat.h>

#include "credential/capability.h"
#include "link/address.h"
#include "supervise/vmm_process.h"
#include "vmm/blob.h"

namespace vmcred::supervise {
namespace {

constexpr std::chrono::seconds kReceiptLimitKvm{90};
constexpr std::chrono::seconds kReceiptLimitTcg{300};

std::map<std::string, std::size_t> sizes_of(const Secrets& secrets) {
  std::map<std::string, std::size_t> sizes;
  for (const auto& [host, value] : secrets) sizes.emplace(host, value.size());
  return sizes;
}

/// Plan -> launch, for a vm that is declared or one that is adopted.
using MakeLaunch = std::function<Result<vmm::Launch>(const credential::Plan&, const vmm::Context&)>;

struct Prepared {
  const declare::Vm& vm;
  std::string program;  ///< of the VMM
  declare::Accel accel;
  std::chrono::milliseconds start_limit;
  std::chrono::milliseconds receipt_limit;
  MakeLaunch make_launch;
  bool own_devices = true;  ///< it is no command line of others
};

/// Gives every value a channel that carries it whole, and the launch that follows.
class Planner {
 public:
  Planner(const RunRequest& request, const Prepared& prepared, const std::string& folder)
      : prepared_(prepared),
        with_link_(prepared.vm.guest.agent),
        context_{
            .accel = prepared.accel, .with_link = with_link_, .runtime_folder = folder, .exposed = request.exposed} {
    context_.version = prepared.vm.vmm_version;
  }

  /// A refresh may change sizes, so a vm that starts again is planned again.
  Result<PlannedLaunch> plan(const Secrets& values) {
    if (prepared_.accel == declare::Accel::tcg && prepared_.vm.qemu_machine == "microvm" &&
        context_.host_tsc_khz == 0) {
      context_.host_tsc_khz = measure_tsc_khz();
    }
    return plan_sizes(sizes_of(values));
  }
  /// Whether there is such a launch, whatever the values are.
  Result<> check() {
    TRY(plan_sizes({}));
    return {};
  }

 private:
  [[nodiscard]] credential::Plan make_plan(const std::map<std::string, std::size_t>& sizes) const {
    return credential::make_plan({.vm = prepared_.vm,
                                  .sizes = sizes,
                                  .with_link = with_link_,
                                  .with_reference = with_link_,
                                  .own_devices = prepared_.own_devices,
                                  .vmm_version = context_.version});
  }

  Result<PlannedLaunch> plan_sizes(std::map<std::string, std::size_t> sizes) {
    // The token's line depends on the kind of link, which the backend chooses: two rounds where it is not the usual
    // one.
    for (auto kind = vmm::LinkKind::serial;;) {
      if (with_link_)
        sizes[std::string(credential::kLinkCredential)] = link_line_for(kind, Secret(link::kTokenSize)).size();
      credential::Plan plan = make_plan(sizes);
      if (!plan.deliverable() && context_.version.empty()) {
        // The tightest limits hold for a version that is not known. Asking takes time, so only now.
        context_.version = probe_version(prepared_.program);
        plan = make_plan(sizes);
      }
      TRY(credential::check_deliverable(plan));
      TRY_LET(vmm::Launch launch, prepared_.make_launch(plan, context_));
      launch.notify_socket = plan.notify_socket;
      if (!with_link_ || launch.link == kind || launch.link == vmm::LinkKind::none) {
        return PlannedLaunch{.launch = std::move(launch), .by_reference = !plan.reference.empty()};
      }
      kind = launch.link;
    }
  }

  const Prepared& prepared_;
  bool with_link_;
  vmm::Context context_;
};

Result<Outcome> run(const RunRequest& request, const Prepared& prepared, const RuntimeFolder& folder,
                    const SecretSource& secret_source) {
  const declare::Vm& vm = prepared.vm;
  Planner planner(request, prepared, folder.path());
  const auto plan_launch = [&](const Secrets& values) { return planner.plan(values); };
  const auto check_version = [&](std::string_view version) -> Result<> {
    const std::string why = credential::too_old(vm, version);
    if (why.empty()) return {};
    return hint(fail(Errc::unavailable, "vm '{}': {}", vm.name, why),
                fmt::format("put a later '{}' in its place, or name another program", prepared.program));
  };
  TRY_LET(Secrets secrets, secret_source());
  // Every declared value is in memory, none is missing or empty by mistake.
  TRY_LET(PlannedLaunch planned, plan_launch(secrets));

  auto outcome = supervise({.vm = vm,
                            .launch = std::move(planned.launch),
                            .secrets = std::move(secrets),
                            .by_reference = planned.by_reference,
                            .plan_again = plan_launch,
                            .check_version = check_version,
                            .expect_receipt = receipt_required(vm),
                            .start_limit = prepared.start_limit,
                            .receipt_limit = prepared.receipt_limit,
                            .stop = request.stop,
                            .folder = folder.path(),
                            .accel = prepared.accel == declare::Accel::tcg ? "tcg" : "kvm",
                            .vmm_environment = request.vmm_environment,
                            .notifier = request.notifier,
                            .observer = request.observer,
                            .randomness = request.randomness});
  if (outcome && !outcome->fed && !outcome->failure.empty()) {
    // It may be too old for one of our options, and have said so in its own words: it is asked only now that it failed.
    const std::string why = credential::too_old(vm, probe_version(prepared.program));
    if (!why.empty()) outcome->failure += ": " + why;
  }
  return outcome;
}

/// Whatever is made from here on belongs to this uid alone, and no dump of this process holds a value.
Result<RuntimeFolder> begin(const RunRequest& request) {
  ::umask(0077);
  forbid_core_dumps();
  TRY_LET(const std::string path, runtime_path(request.places, request.vm.name));
  return RuntimeFolder::hold(path, request.vm.name);
}

std::chrono::milliseconds start_limit(const RunRequest& request) {
  if (request.start_limit) return *request.start_limit;
  return request.vm.start_timeout.value_or(kStartLimit);
}

std::chrono::milliseconds receipt_limit(const RunRequest& request, std::chrono::milliseconds otherwise) {
  if (request.receipt_limit) return *request.receipt_limit;
  return request.vm.receipt_timeout ? std::chrono::milliseconds(*request.vm.receipt_timeout) : otherwise;
}

}  // namespace

bool receipt_required(const declare::Vm& vm) {
  return vm.receipt ? *vm.receipt == declare::ReceiptMode::required : vm.guest.agent;
}

std::string probe_version(const std::string& program) {
  constexpr std::size_t kMaxVersionText = 16 * 1024;
  constexpr std::chrono::seconds kProbeLimit{3};
  const auto output =
      vmcred::run({.argv = {program, "--version"}}, {.max_output = kMaxVersionText, .limit = kProbeLimit});
  if (!output || !output->status.ok()) return {};
  return output->out.substr(0, output->out.find('\n'));
}

Result<Outcome> run_vm(const RunRequest& request, const SecretSource& secret_source) {
  TRY_LET(const RuntimeFolder folder, begin(request));
  TRY_LET(const declare::Accel accel, choose_accel(request.accel.value_or(request.vm.accel), request.accel_doors));
  const auto usual = accel == declare::Accel::kvm ? kReceiptLimitKvm : kReceiptLimitTcg;
  return run(request,
             {.vm = request.vm,
              .program = vmm::program_of(request.vm),
              .accel = accel,
              .start_limit = start_limit(request),
              .receipt_limit = receipt_limit(request, usual),
              .make_launch = [&](const auto& plan,
                                 const auto& context) { return request.backend.launch(request.vm, plan, context); }},
             folder, secret_source);
}

Result<Outcome> run_foreign(const RunRequest& request, const vmm::Foreign& foreign, const SecretSource& secret_source) {
  TRY_LET(const declare::Vm vm, request.backend.describe(foreign, request.vm));
  Prepared prepared = {
      .vm = vm,
      .program = foreign.argv.front(),
      .accel = declare::Accel::automatic,
      .start_limit = start_limit(request),
      .receipt_limit = receipt_limit(request, kReceiptLimitTcg),  // what it will use is its own business
      .make_launch = [&](const auto& plan, const auto& context) -> Result<vmm::Launch> {
        TRY_LET(vmm::Launch launch, request.backend.adopt(foreign, vm, plan, context));
        launch.keeps_stdin = true;
        return launch;
      },
      .own_devices = false};
  // A conflict is there whatever the values are: it is told before any of them is decrypted.
  TRY_LET(const std::string path, runtime_path(request.places, request.vm.name));
  TRY(Planner(request, prepared, path).check());
  TRY_LET(const RuntimeFolder folder, begin(request));
  TRY_LET(prepared.accel, choose_accel(declare::Accel::automatic, request.accel_doors));
  return run(request, prepared, folder, secret_source);
}

}  // namespace vmcred::supervise
