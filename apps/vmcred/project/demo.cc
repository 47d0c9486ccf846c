// vmcred demo: the whole chain with a real guest, told as a story; it measures leaks while the vm runs.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "base/leak_scan.h"
#include "credential/plan.h"
#include "project/commands.h"
#include "project/demo_declaration.h"
#include "project/demo_report.h"
#include "project/project.h"
#include "store/key_ring.h"
#include "store/repository.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vars/commands.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kVm = "test-vm";

constexpr Parameter kParameters[] = {
    {"--guest DIR",
     "the folder with the guest's vmlinuz and initrd (tools/guest-image makes it; default: build/guest)"},
    {"--accel ACCEL", "auto (default), kvm or tcg"},
    {"--keep", "leave the demo's project folder in place and say where it is"},
};

/// Tells the chapters of the story; quiet with --json.
class Story {
 public:
  explicit Story(World& world) : world_(world), since_(world.clock->steady()) {}
  void tell(std::string_view chapter, const std::string& text) {
    const auto now = world_.clock->steady();
    if (!world_.json) {
      print(world_, fmt::format("{}{:>8}  {}\n", styled(fmt::format("{:<10}", chapter), Style::bold, world_.color_out),
                                shown_seconds(std::chrono::duration_cast<milliseconds>(now - since_)), text));
    }
    since_ = now;
  }

 private:
  World& world_;
  SteadyTime since_;
};

/// Waits for the proof, then looks for leaks while everything is still alive, then asks the guest to power off.
class DemoObserver final : public supervise::Observer {
 public:
  DemoObserver(World& world, Story& story, const LeakPatterns& patterns, LeakPlaces places, DemoSeen& seen)
      : world_(world),
        story_(story),
        status_(world),
        patterns_(patterns),
        places_(std::move(places)),
        seen_(seen),
        verbose_(world.verbose) {}

  supervise::Wish on_event(const supervise::Event& event) override {
    using Kind = supervise::Event::Kind;
    switch (event.kind) {
      case Kind::vmm_started:
        seen_.accel = event.status.accel;
        story_.tell("start", fmt::format("the VMM runs with {}, its guest still stands", event.status.accel));
        break;
      case Kind::channel_wiped:
        story_.tell("wipe", "it has read its memory files; they are zeroed and cut to nothing");
        break;
      case Kind::guest_running:
        seen_.guest_running = event.since_start;
        status_.show("the guest boots …");
        break;
      case Kind::receipt:
        status_.clear();
        seen_.receipt_after = event.since_start - seen_.guest_running;
        if (event.receipt != nullptr) seen_.receipt = *event.receipt;
        story_.tell("receipt", "the guest has proven what it received");
        break;
      case Kind::ready:
        seen_.leaks = scan_for_leaks(patterns_, places_);
        for (const std::string& place : seen_.leaks.unreadable_places) {
          if (verbose_) story_.tell("", "could not be read: " + place);
        }
        story_.tell("search", fmt::format("{} places searched for each secret (raw, hex, base64, windows of 16 bytes)",
                                          seen_.leaks.searched));
        return supervise::Wish::stop;
      case Kind::guest_ended:
        status_.clear();
        story_.tell("stop", event.detail);
        break;
      case Kind::vmm_said:
        note(world_, "the VMM says: " + event.detail);
        break;
      case Kind::warning:
      case Kind::systemd:
      case Kind::leaving:
      case Kind::stopping:
      case Kind::vmm_exited:
        break;
    }
    return supervise::Wish::go_on;
  }

 private:
  World& world_;
  Story& story_;
  StatusLine status_;
  const LeakPatterns& patterns_;
  LeakPlaces places_;
  DemoSeen& seen_;
  bool verbose_;
};

/// A project folder of its own, with a key that no one else has.
Result<> make_project(const std::string& folder, const std::string& guest) {
  TRY(write_file(folder + "/vmcred.toml", kDemoDeclaration, 0644));
  if (::symlink(guest.c_str(), (folder + "/guest").c_str()) != 0) return fail_errno("link the guest into '{}'", folder);
  return {};
}

Result<std::string> guest_folder(const Given& given) {
  const std::string asked = given.has("guest") ? given.at("guest") : "build/guest";
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(asked.c_str(), nullptr), std::free);
  if (!path || !exists(std::string(path.get()) + "/vmlinuz") || !exists(std::string(path.get()) + "/initrd")) {
    return hint(fail(Errc::not_found, "there is no guest in '{}' (vmlinuz and initrd)", asked),
                "make one with: tools/guest-image");
  }
  return std::string(path.get());
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const std::string guest, guest_folder(given));
  const std::string tmp = world.env("TMPDIR");
  TRY_LET(TemporaryFolder temporary, TemporaryFolder::make(tmp.empty() ? "/tmp" : tmp));
  const std::string folder = temporary.path() + "/project";
  TRY(make_folders(folder, 0700));
  TRY(make_project(folder, guest));

  // A world of its own: its project, its key, nothing of the caller's identity; the steps say nothing themselves.
  World inner = world;
  inner.project = folder;
  inner.quiet = true;
  inner.json = false;
  inner.answer.reset();
  inner.machine.clear();
  inner.nix.clear();
  for (const char* name : {"SOPS_AGE_KEY", "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY_CMD", "CREDENTIALS_DIRECTORY",
                           "RUNTIME_DIRECTORY", "NOTIFY_SOCKET"}) {
    inner.environment.erase(name);
  }
  inner.environment["XDG_CONFIG_HOME"] = temporary.path() + "/config";
  // A runtime folder of its own, as root as well: another vm of that name may run on this machine.
  inner.environment["VMCRED_RUNTIME_DIR"] = temporary.path() + "/run";
  Story story(world);

  TRY(in("make the project", kInit.run({}, inner)));
  story.tell("declare", "a project with the guide's vm, three secrets and two static values");
  TRY(in("generate the secrets", kVarsGenerate.run({}, inner)));
  story.tell("generate", "three secrets, in a sandbox without network; stored encrypted");

  TRY_LET(const declare::Declaration declaration, load_project(inner));
  TRY_LET(const declare::Vm* const vm, find_vm(declaration, std::string(kVm)));
  TRY_LET(const store::Repository repository, store::Repository::open(folder));
  TRY_LET(const store::KeyRing keys, store::KeyRing::of_operator(inner.environment));
  std::map<std::string, std::size_t> sizes;
  LeakPatterns patterns;
  for (const declare::Credential& credential : vm->credentials) {
    const auto* const ref = std::get_if<declare::VarRef>(&credential.from);
    if (ref == nullptr) continue;
    TRY_LET(const store::VarId id, store::resolve_for_vm(declaration, *ref, *vm));
    TRY_LET(const Secret value, repository.read_var(id, keys));
    sizes[credential.host] = value.size();
    if (!patterns.add(credential.host, value)) {
      return fail(Errc::unavailable, "the secret '{}' cannot be searched for", credential.host);
    }
  }
  const credential::Plan plan = credential::make_plan({.vm = *vm, .sizes = sizes, .with_link = true});
  TRY(credential::check_deliverable(plan));
  story.tell("plan", fmt::format("{} credentials in {} SMBIOS structure{}, below 4096 bytes each for systemd {}",
                                 vm->credentials.size(), plan.structures.size(), plan.structures.size() == 1 ? "" : "s",
                                 plan.guest_systemd));

  DemoSeen seen;
  DemoObserver observer(world, story, patterns, {.open_files = true, .folders = {temporary.path()}}, seen);
  StartOptions options = {.observer = &observer};
  if (given.has("accel")) {
    TRY_LET(options.accel, read_accel(given.at("accel")));
  }
  auto outcome = run_declared_vm(declaration, *vm, options, inner);
  const std::vector<DemoRow> rows = demo_rows(plan, seen.receipt);
  const bool all_match = !rows.empty() && std::ranges::all_of(rows, [](const DemoRow& row) { return row.matches; });
  if (given.has("keep")) {
    (void)temporary.release();
    note(world, fmt::format("the project is in {}", folder));
  }
  if (!outcome) return std::unexpected(std::move(outcome).error());
  if (seen.receipt && world.json) answer_with(world, demo_json(rows, seen, kVm));
  if (seen.receipt && !world.json) print(world, demo_table(rows, seen, world.color_out));
  if (!outcome->failure.empty()) return fail(Errc::unavailable, "{}", outcome->failure);
  if (!all_match) return fail(Errc::mismatch, "not every credential arrived byte for byte");
  if (!seen.leaks.clean()) {
    return fail(Errc::mismatch, "a secret stands where it must not: {} in {}", seen.leaks.leaks.front().secret,
                seen.leaks.leaks.front().place);
  }
  if (!outcome->good()) return fail(Errc::unavailable, "the guest did not power off cleanly");
  return Exit::done;
}

}  // namespace

constinit const Command kDemo = {
    "demo",
    "generate, boot a real guest, show the receipt",
    "Makes a project of its own in a temporary folder, generates three secrets, stores them encrypted, boots a\n"
    "guest with the real systemd, waits for its receipt, and searches every command line, every environment,\n"
    "open files and the project's folders for the secrets while the vm runs. Exits 0 only when every credential\n"
    "arrived byte for byte and no secret was found. Nothing of yours is read or changed.",
    kParameters,
    run,
};

}  // namespace vmcred::app
