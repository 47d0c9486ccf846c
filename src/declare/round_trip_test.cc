// Property: the printed model, read again, is the same model.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "declare/load.h"
#include "declare/names.h"
#include "matchers.h"

namespace vmcred::declare {
namespace {

/// Takes decisions from a list of bytes, so that a failing model shrinks with the list.
class Choices {
 public:
  explicit Choices(const std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}
  std::size_t below(std::size_t limit) { return (next_ < bytes_.size() ? bytes_[next_++] : 0U) % limit; }
  bool flag() { return below(2) == 1; }
  template <class Choice>
  Choice of(std::size_t count) {
    return static_cast<Choice>(below(count));
  }
  std::string text() {
    static const std::vector<std::string> kTexts{
        "", "a", "two words", "quote \" and \\", "line\nbreak", "tab\t", "ünïcödé", "{}[],=#'", "\x01"};
    return kTexts[below(kTexts.size())];
  }
  std::string name(std::size_t limit) { return std::string(1, static_cast<char>('a' + below(limit))); }

 private:
  const std::vector<std::uint8_t>& bytes_;
  std::size_t next_ = 0;
};

Generator random_generator(Choices& c, const std::string& name, const Declaration& declaration) {
  Generator generator{.name = name};
  generator.sharing = c.of<Sharing>(3);
  if (generator.sharing == Sharing::per_vm) {
    generator.vms = {"v0"};
  } else {
    for (const auto& [machine, each] : declaration.machines) generator.machines.push_back(machine);
  }
  if (c.flag()) generator.runtime_inputs = {"openssl", "/opt/tool"};
  generator.script = c.text();
  for (std::size_t i = c.below(3); i > 0; --i) {
    File file{.name = fmt::format("f-{}", i)};
    file.secret = c.flag();
    file.mode = static_cast<std::uint32_t>(c.below(256) * 16);
    file.owner = c.flag() ? "root" : "postgres";
    file.allow_empty = c.flag();
    file.needed_for = c.flag() ? "users" : "services";
    if (c.flag()) file.restart_units = {"a.service"};
    generator.files[file.name] = file;
  }
  if (c.flag()) {
    Prompt prompt{.name = "ask", .description = c.text(), .type = c.of<PromptType>(4)};
    prompt.display_label = c.text();
    generator.prompts["ask"] = prompt;
  }
  if (c.flag()) generator.validation_json = R"({"a":1,"b":{"c":true}})";
  if (c.flag()) generator.rotate_after = std::chrono::days(1 + c.below(200));
  generator.on_stale = c.of<OnStale>(2);
  generator.foreign = c.flag();
  return generator;
}

void add_credentials(Choices& c, const Declaration& declaration, Vm& vm) {
  for (const auto& [name, generator] : declaration.generators) {
    const bool here = generator.sharing != Sharing::per_vm || vm.name == "v0";
    for (const auto& [file, each] : generator.files) {
      if (!here || c.flag()) continue;
      Credential credential{.name = name + "-" + file,
                            .host = host_name_of(name + "-" + file),
                            .guest = guest_name_of(name + "-" + file),
                            .from = VarRef{name, file}};
      if (c.flag()) credential.guest = "x." + credential.name;
      credential.allow_empty = c.flag();
      credential.on_change = c.of<OnChange>(4);
      if (credential.on_change == OnChange::signal) credential.on_change_signal = "HUP";
      if (c.flag()) credential.services = {"s0"};
      vm.credentials.push_back(credential);
    }
  }
  if (c.flag()) {
    vm.credentials.push_back({.name = "fixed",
                              .host = {},
                              .guest = "FIXED",
                              .static_value = c.text(),
                              .is_public = c.flag(),
                              .services = {"s1"}});
  }
  if (c.flag()) {
    vm.long_form.used = true;
    vm.long_form.load_credential = {{"host-file", "/etc/file"}, {"unused", "/etc/other"}};
    vm.long_form.credential_files = {"host-file"};
    vm.long_form.oem_strings = {"io.systemd.credential:LISTED=1"};
    vm.credentials.push_back({.name = "file", .host = "host-file", .guest = "FILE", .from = "/etc/file"});
    vm.credentials.push_back({.name = "listed", .host = {}, .guest = "LISTED", .static_value = "1"});
  }
  std::ranges::sort(vm.credentials, {}, &Credential::guest);
  for (const Credential& credential : vm.credentials) {
    for (const std::string& service : credential.services) {
      vm.services[service].name = service;
      vm.services[service].load_credential.emplace_back(credential.name, credential.guest);
    }
  }
  for (auto& [name, service] : vm.services) {
    service.health = std::chrono::seconds(c.below(600));
    if (c.flag()) service.health_command = {"/usr/bin/check", "--quick"};
  }
}

Vm random_vm(Choices& c, const std::string& name, const Declaration& declaration) {
  Vm vm{.name = name, .machine = declaration.machines.begin()->first};
  vm.hypervisor = c.of<Hypervisor>(5);
  vm.qemu_machine = c.flag() ? "q35" : "microvm";
  if (c.flag()) vm.vsock_device = c.flag() ? "vhost-device-vsock" : "/opt/vsock";
  if (c.flag()) vm.kernel = "/boot/vmlinuz";
  if (c.flag()) vm.vmm_version = c.flag() ? "v54.0" : "1.16.1";
  if (c.flag()) vm.binary = c.flag() ? "qemu-kvm" : "/opt/qemu";
  vm.command_line = c.text();
  vm.memory_bytes = (1 + c.below(200)) << (20 + c.below(12));
  vm.vcpus = static_cast<unsigned>(1 + c.below(8));
  vm.accel = c.of<Accel>(3);
  vm.delivery = c.of<Delivery>(3);
  vm.guest.systemd = static_cast<int>(250 + c.below(20));
  vm.guest.agent = c.flag();
  vm.guest.systemd_in_initrd = c.flag();
  if (c.flag()) vm.receipt = vm.guest.agent ? ReceiptMode::required : ReceiptMode::off;
  if (c.flag()) vm.receipt_timeout = std::chrono::seconds(1 + c.below(200));
  if (c.flag()) vm.start_timeout = std::chrono::seconds(1 + c.below(200));
  if (c.flag()) vm.disks = {{.path = "/d", .read_only = c.flag(), .format = c.flag() ? "raw" : "qcow2"}};
  if (c.flag())
    vm.networks = {{.forward = {"tcp:127.0.0.1:2222:22"}}, {.type = "tap", .tap = "t0", .mac = "02:00:00:00:00:01"}};
  if (c.flag()) vm.shares = {{.tag = "t", .socket = "/s"}};
  if (c.flag()) vm.vsock_cid = 3 + static_cast<unsigned>(c.below(9));
  if (c.flag()) vm.extra_arguments = {"-x", c.text()};
  if (c.flag()) vm.allowed_options = {"x", "device=y"};
  add_credentials(c, declaration, vm);
  return vm;
}

Declaration random_declaration(const std::vector<std::uint8_t>& bytes) {
  Choices c(bytes);
  Declaration declaration;
  declaration.git.commit = c.flag();
  for (const char* name : {"m0", "m1"})
    if (declaration.machines.empty() || c.flag()) declaration.machines[name] = {.name = name};
  if (c.flag()) declaration.machines["m0"].default_groups = {"admins"};
  for (std::size_t i = 0; i < c.below(3); ++i) {
    const std::string name = fmt::format("g{}", i);
    declaration.generators[name] = random_generator(c, name, declaration);
  }
  if (declaration.generators.size() == 2 && c.flag()) declaration.generators["g1"].dependencies = {"g0"};
  declaration.vms["v0"] = random_vm(c, "v0", declaration);
  if (c.flag()) declaration.vms["v1"] = random_vm(c, "v1", declaration);
  return declaration;
}

Declaration without_places(Declaration declaration) {
  declaration.file.clear();
  declaration.folder.clear();
  for (auto& [name, machine] : declaration.machines) machine.place = {};
  for (auto& [name, generator] : declaration.generators) {
    generator.place = {};
    for (auto& [file, each] : generator.files) each.place = each.mode_place = {};
    for (auto& [prompt, each] : generator.prompts) each.place = {};
  }
  for (auto& [name, vm] : declaration.vms) {
    vm.place = {};
    for (Credential& credential : vm.credentials) credential.place = {};
    for (auto& [service, each] : vm.services) each.place = {}, each.places.clear();
    vm.long_form.places.clear();
    vm.long_form.credential_files_places.clear();
    vm.long_form.oem_strings_places.clear();
  }
  return declaration;
}

RC_GTEST_PROP(RoundTrip, APrintedModelReadsAsItself, (const std::vector<std::uint8_t>& bytes)) {
  const Declaration declaration = random_declaration(bytes);
  const std::string text = dump_json(to_json(declaration), Indent::two_spaces);
  const auto again = parse_json_declaration(text, "vmcred.json");
  if (!again) RC_LOG() << again.error().message << "\n" << text;
  RC_ASSERT(again.has_value());
  if (without_places(*again) != declaration) RC_LOG() << text;
  RC_ASSERT(without_places(*again) == declaration);
}

TEST(RoundTrip, KeepsTheExamples) {
  for (const char* name : {"test-vm", "minimal", "long-form"}) {
    const auto declaration = load(testing::source_folder() + "/examples/" + name);
    ASSERT_THAT(declaration, testing::Succeeds());
    const auto again = parse_json_declaration(dump_json(to_json(*declaration)), "vmcred.json");
    ASSERT_THAT(again, testing::Succeeds());
    EXPECT_EQ(without_places(*again), without_places(*declaration)) << name;
  }
}

}  // namespace
}  // namespace vmcred::declare
