#include "credential/plan.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "credential/limits.h"
#include "matchers.h"

namespace vmcred::credential {
namespace {

using declare::Credential;
using declare::Hypervisor;
using declare::VarRef;
using declare::Vm;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using testing::Succeeds;

Credential secret_named(std::string guest) {
  return {.name = guest, .host = "host-" + guest, .guest = guest, .from = VarRef{"g", guest}};
}
Credential static_named(std::string guest, std::string value) {
  return {.name = guest, .host = {}, .guest = std::move(guest), .static_value = std::move(value)};
}

struct Case {
  Vm vm;
  std::map<std::string, std::size_t> sizes = {};
  bool with_link = false;
  bool with_reference = false;
  std::string version = {};
  [[nodiscard]] Plan plan() const {
    return make_plan(
        {.vm = vm, .sizes = sizes, .with_link = with_link, .with_reference = with_reference, .vmm_version = version});
  }
};

/// A q35 vm with secrets of these sizes, named by letters.
Case vm_with(std::initializer_list<std::size_t> sizes) {
  Case c;
  c.vm.name = "test-vm";
  char letter = 'A';
  for (const std::size_t size : sizes) {
    const std::string name(1, letter++);
    c.vm.credentials.push_back(secret_named(name));
    c.sizes["host-" + name] = size;
  }
  return c;
}

const Entry& entry(const Plan& plan, std::string_view guest) {
  for (const Entry& e : plan.entries) {
    if (e.guest == guest) return e;
  }
  static const Entry none;
  ADD_FAILURE() << "no entry " << guest;
  return none;
}

/// The plan as text, for golden files.
std::string text_of(const Plan& plan) {
  std::string out = fmt::format("{} {} {}\n", plan.vm, plan.hypervisor, plan.guest_systemd);
  for (const Entry& e : plan.entries) {
    out += fmt::format("{} -> {}: {} {} of {}, value {}\n", e.host.empty() ? "static" : e.host, e.guest,
                       e.channel ? channel_name(*e.channel) : "refused", e.bytes_used, e.bytes_allowed,
                       e.size_known ? std::to_string(e.size) : "unknown");
    if (!e.refused.empty()) out += fmt::format("  {}\n  => {}\n", e.refused, e.remedy);
  }
  for (const Structure& s : plan.structures) {
    out += fmt::format("structure {:#x}: {} bytes:", s.handle, s.raw_size);
    for (const OemEntry& e : s.entries) out += " " + e.guest;
    out += "\n";
  }
  for (const FwCfgItem& item : plan.fw_cfg) out += fmt::format("fw_cfg: {} {}\n", item.guest, item.size);
  for (const OemEntry& e : plan.initrd) out += fmt::format("initrd: {} {}\n", e.guest, e.size);
  for (const OemEntry& e : plan.reference) out += fmt::format("reference: {} {}\n", e.guest, e.size);
  for (const Budget& b : plan.budgets) out += fmt::format("{}: {} of {}\n", b.what, b.used, b.allowed);
  for (const Remark& r : plan.remarks)
    out += fmt::format("{}: {}\n  => {}\n", r.refusal ? "refused" : "note", r.text, r.remedy);
  return out;
}

/// The guide's vm with one large credential and one long name, whatever the way.
Case mixed(Hypervisor hypervisor, std::string machine, int systemd) {
  Case c;
  c.vm.name = "test-vm";
  c.vm.hypervisor = hypervisor;
  c.vm.qemu_machine = std::move(machine);
  c.vm.guest.systemd = systemd;
  c.vm.kernel = "/vmlinuz";
  c.vm.credentials = {secret_named("API_KEY"), static_named("ENVIRONMENT", "test"), secret_named("JWT_SECRET"),
                      secret_named("LARGE"), secret_named("passwd.hashed-password.someone")};
  c.sizes = {{"host-API_KEY", 44},
             {"host-JWT_SECRET", 88},
             {"host-LARGE", 9000},
             {"host-passwd.hashed-password.someone", 106},
             {"vmcred.link", 74}};
  c.with_link = hypervisor != Hypervisor::crosvm && hypervisor != Hypervisor::kvmtool;
  return c;
}

TEST(PlanGolden, CoversEveryMachineTypeAndGuest) {
  for (const std::string machine : {"q35", "pc", "microvm", "virt"}) {
    for (const int systemd : {252, 257, 262}) {
      Case c = mixed(Hypervisor::qemu, machine, systemd);
      if (machine == "virt") c.vm.architecture = "aarch64";
      EXPECT_THAT(text_of(c.plan()), MatchesGolden(fmt::format("credential/qemu-{}-{}.plan", machine, systemd)));
    }
  }
}

TEST(PlanGolden, CoversTheOtherHypervisors) {
  const std::pair<Hypervisor, std::string> all[] = {{Hypervisor::cloud_hypervisor, "cloud-hypervisor"},
                                                    {Hypervisor::crosvm, "crosvm"},
                                                    {Hypervisor::firecracker, "firecracker"},
                                                    {Hypervisor::kvmtool, "kvmtool"}};
  for (const auto& [hypervisor, name] : all) {
    for (const int systemd : {252, 257, 262}) {
      Case c = mixed(hypervisor, "q35", systemd);
      EXPECT_THAT(text_of(c.plan()), MatchesGolden(fmt::format("credential/{}-{}.plan", name, systemd)));
      c.vm.guest.agent = true;
      c.vm.guest.systemd_in_initrd = true;
      c.vm.initrd = "/initrd";
      c.with_reference = true;
      EXPECT_THAT(text_of(c.plan()), MatchesGolden(fmt::format("credential/{}-{}-agent.plan", name, systemd)));
    }
  }
}

TEST(Plan, PacksStructuresUpToExactlyOnePage) {
  // One string: 29 + 1 + 1 + base64 + 1, and 6 bytes around it: 4096 bytes hold a base64 of 4058, so 3042 bytes.
  EXPECT_EQ(vm_with({3042}).plan().structures.at(0).raw_size, 4094U);
  EXPECT_EQ(entry(vm_with({3042}).plan(), "A").channel, Channel::smbios);
  EXPECT_EQ(entry(vm_with({3043}).plan(), "A").channel, Channel::fw_cfg);
  Case text = vm_with({});
  text.vm.credentials = {static_named("A", std::string(4096 - 6 - 22 - 3, 'x'))};
  EXPECT_EQ(text.plan().structures.at(0).raw_size, kPageStructure);
  text.vm.credentials = {static_named("A", std::string(4096 - 6 - 22 - 2, 'x'))};
  EXPECT_EQ(entry(text.plan(), "A").channel, Channel::fw_cfg);
}

TEST(Plan, GivesEightLargeOnesAStructureEach) {
  const Plan plan = vm_with({2800, 2800, 2800, 2800, 2800, 2800, 2800, 2800}).plan();
  EXPECT_TRUE(plan.deliverable());
  EXPECT_EQ(plan.structures.size(), 8U);
}

TEST(Plan, FillsFifteenPagesAndSendsTheRestByFwCfg) {
  Case c = vm_with({});
  for (int i = 0; i < 16; ++i)
    c.vm.credentials.push_back(static_named(fmt::format("N{:02}", i), std::string(4062, 'x')));
  const Plan plan = c.plan();
  EXPECT_TRUE(plan.deliverable());
  EXPECT_EQ(plan.structures.size(), 15U);
  EXPECT_EQ(plan.structures[0].raw_size, 4095U);
  EXPECT_EQ(plan.fw_cfg.size(), 1U);
}

TEST(Plan, PutsAtMost255StringsIntoAStructure) {
  Case c = vm_with({});
  for (int i = 0; i < 300; ++i) c.vm.credentials.push_back(static_named(fmt::format("{}", i), ""));
  for (Credential& credential : c.vm.credentials) credential.allow_empty = true;
  c.vm.guest.systemd = 257;
  for (const Structure& structure : c.plan().structures) EXPECT_LE(structure.entries.size(), kMaxStrings);
}

TEST(Plan, NeedsNoSizes) {
  Case c = vm_with({1, 2});
  c.sizes.clear();
  const Plan plan = c.plan();
  EXPECT_TRUE(plan.deliverable());
  EXPECT_FALSE(entry(plan, "A").size_known);
  EXPECT_EQ(entry(plan, "A").channel, Channel::smbios);
  EXPECT_EQ(entry(plan, "A").bytes_used, 0U);
}

TEST(Plan, RefusesWithNumbersAndARemedy) {
  Case c = vm_with({5000});
  c.vm.credentials[0].guest = "a.guest.name.of.more.than.28.bytes";
  const Entry refused = c.plan().entries.at(0);
  EXPECT_THAT(refused.refused, HasSubstr("6733 bytes of at most 4090"));
  EXPECT_THAT(refused.refused, HasSubstr("34 bytes of at most 28"));
  EXPECT_THAT(refused.remedy, HasSubstr("at most 28 bytes"));
  EXPECT_THAT(refused.remedy, HasSubstr("guest.systemd = 257"));
}

TEST(Plan, RefusesWhatSystemdWouldNotTake) {
  const auto refusal = [](Credential credential, std::size_t size) {
    Case c = vm_with({});
    c.sizes[credential.host] = size;
    c.vm.credentials = {std::move(credential)};
    return c.plan().entries.at(0).refused;
  };
  EXPECT_THAT(refusal(secret_named("A"), 0), HasSubstr("empty"));
  EXPECT_THAT(refusal(secret_named("A"), kMaxCredential + 1), HasSubstr("1048577 bytes"));
  EXPECT_EQ(refusal(secret_named("A"), kMaxCredential), "");
  EXPECT_THAT(refusal(secret_named("a/b"), 1), HasSubstr("'a/b'"));
  EXPECT_THAT(refusal(secret_named("a=b"), 1), HasSubstr("'a=b'"));
  EXPECT_THAT(refusal(secret_named(""), 1), HasSubstr("no name"));
  EXPECT_THAT(refusal(secret_named(std::string(256, 'A')), 1), HasSubstr("256 bytes"));
  EXPECT_EQ(refusal(secret_named(std::string(255, 'A')), 1), "");
  EXPECT_THAT(refusal(secret_named("vmm.notify_socket"), 1), HasSubstr("reserved"));
  EXPECT_THAT(refusal(secret_named("vmcred.link"), 1), HasSubstr("reserved"));
  EXPECT_THAT(refusal(static_named("A", ""), 0), HasSubstr("empty"));
  EXPECT_THAT(refusal(static_named("A", std::string("x\0y", 3)), 0), HasSubstr("NUL"));
}

TEST(Plan, RefusesTheSecondOfTwoWithOneGuestName) {
  Case c = vm_with({1});
  c.vm.credentials.push_back(static_named("A", "x"));
  EXPECT_THAT(c.plan().entries.at(1).refused, HasSubstr("same guest name 'A'"));
}

TEST(Plan, SumsWhatSystemdSums) {
  const Plan plan = vm_with({600'000, 600'000}).plan();
  EXPECT_FALSE(plan.deliverable());
  EXPECT_THAT(entry(plan, "A").refused + entry(plan, "B").refused, HasSubstr("1200000 bytes together"));
  EXPECT_TRUE(vm_with({500'000, 548'576}).plan().deliverable());
}

TEST(Plan, TellsSystemdWhereToSpeakWhereItsWordArrives) {
  const auto socket = [](Hypervisor hypervisor, int systemd, auto change) {
    Case c = vm_with({1});
    c.vm.hypervisor = hypervisor;
    c.vm.kernel = "vmlinuz";
    c.vm.guest.systemd = systemd;
    c.with_link = true;
    change(c);
    const Plan plan = c.plan();
    const bool listed =
        std::ranges::any_of(plan.entries, [](const Entry& e) { return e.guest == "vmm.notify_socket" && e.channel; });
    EXPECT_EQ(listed, !plan.notify_socket.empty());
    return plan.notify_socket;
  };
  const auto nothing = [](Case&) {};
  const auto no_link = [](Case& c) { c.with_link = false; };
  EXPECT_EQ(socket(Hypervisor::cloud_hypervisor, 254, nothing), "vsock-stream:2:8890");
  EXPECT_EQ(socket(Hypervisor::cloud_hypervisor, 253, nothing), "");
  EXPECT_EQ(socket(Hypervisor::cloud_hypervisor, 257, no_link), "");
  EXPECT_EQ(socket(Hypervisor::cloud_hypervisor, 257,
                   [](Case& c) {
                     c.with_link = false;
                     c.vm.vsock_cid = 3;
                   }),
            "vsock-stream:2:8890");
  EXPECT_EQ(socket(Hypervisor::qemu, 257, nothing), "");
  EXPECT_EQ(socket(Hypervisor::qemu, 257, [](Case& c) { c.vm.vsock_cid = 3; }),
            "");  // a listener that every vm could reach
  EXPECT_EQ(socket(Hypervisor::qemu, 257, [](Case& c) { c.vm.vsock_device = "vhost-device-vsock"; }),
            "vsock-stream:2:8890");
  EXPECT_EQ(
      socket(Hypervisor::cloud_hypervisor, 257, [](Case& c) { c.vm.command_line = "rd.systemd.import_credentials=0"; }),
      "");
  EXPECT_EQ(socket(Hypervisor::cloud_hypervisor, 257,
                   [](Case& c) {
                     c.vm.long_form.oem_strings = {"io.systemd.credential:vmm.notify_socket=vsock-stream:2:8888"};
                   }),
            "");
}

TEST(Plan, RefusesNoSecretForTheAddressWhereSystemdSpeaks) {
  Case c = vm_with({31'000});
  c.vm.hypervisor = Hypervisor::cloud_hypervisor;
  c.vm.guest.systemd = 257;
  c.vm.vsock_cid = 3;
  ASSERT_EQ(c.plan().notify_socket, "vsock-stream:2:8890");
  std::size_t size = c.sizes["host-A"];
  for (; size < 40'000 && !c.plan().notify_socket.empty(); c.sizes["host-A"] = ++size)
    EXPECT_TRUE(c.plan().deliverable()) << size;
  EXPECT_LT(size, 40'000u);
  EXPECT_TRUE(c.plan().deliverable()) << size;
}

TEST(Plan, RefusesAServiceOverItsLimit) {
  Case c = vm_with({1000 * 1024});
  c.vm.services["web"] = {.name = "web", .load_credential = {{"one", "A"}, {"two", "A"}}};
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("'web'")));
}

TEST(Plan, WarnsWhenAGuestMayRunOutOfPages) {
  Case c = vm_with({});
  for (int i = 0; i < 257; ++i) c.vm.credentials.push_back(static_named(fmt::format("N{}", i), "x"));
  EXPECT_TRUE(c.plan().remarks.empty());  // 252 uses a ramfs
  c.vm.guest.systemd = 257;
  const Plan plan = c.plan();
  EXPECT_TRUE(plan.deliverable());
  ASSERT_EQ(plan.remarks.size(), 1U);
  EXPECT_THAT(plan.remarks[0].text, HasSubstr("257 pages"));
}

TEST(Plan, RefusesAKernelLineThatTurnsTheImportOff) {
  Case c = vm_with({1});
  for (const char* line : {"systemd.import_credentials=no", "quiet rd.systemd.import_credentials=0 ro",
                           "systemd.import_credentials=off x"}) {
    c.vm.command_line = line;
    EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("systemd.import_credentials")))
        << line;
  }
  for (const char* line : {"", "systemd.import_credentials=yes", "systemd.import_credentials=1 no"}) {
    c.vm.command_line = line;
    EXPECT_TRUE(c.plan().deliverable()) << line;
  }
}

TEST(Plan, TakesSuchAKernelLineWhereAllComesByReference) {
  Case c = vm_with({1});
  c.vm.command_line = "systemd.import_credentials=no";
  c.vm.delivery = declare::Delivery::reference;
  c.with_link = true;
  c.with_reference = true;
  c.sizes["vmcred.link"] = 74;
  c.vm.guest.agent = true;
  EXPECT_TRUE(c.plan().deliverable());
}

TEST(Plan, WarnsOfUnitAndNameBeyond83Bytes) {
  Case c = vm_with({1});
  c.vm.credentials[0].host = "host-" + std::string(56, 'x');  // 61 + "microvm@test-vm.service" is 84
  c.sizes = {{c.vm.credentials[0].host, 1}};
  ASSERT_EQ(c.plan().remarks.size(), 1U);
  EXPECT_THAT(c.plan().remarks[0].text, HasSubstr("84 bytes"));
  c.vm.credentials[0].host.pop_back();
  EXPECT_TRUE(c.plan().remarks.empty());
}

TEST(Plan, GoesByReferenceOnlyWhereItCan) {
  Case c = vm_with({44});
  c.vm.delivery = declare::Delivery::reference;
  c.with_link = true;
  c.sizes["vmcred.link"] = 74;
  EXPECT_THAT(entry(c.plan(), "A").refused, HasSubstr("vmcred-guest"));
  c.vm.guest.agent = true;
  c.with_reference = true;
  const Plan plan = c.plan();
  EXPECT_TRUE(plan.deliverable());
  EXPECT_EQ(entry(plan, "A").channel, Channel::reference);
  EXPECT_EQ(entry(plan, "vmcred.link").channel, Channel::smbios);
  ASSERT_EQ(plan.structures.size(), 1U);
  ASSERT_EQ(plan.structures[0].entries.size(), 1U);
  c.vm.credentials[0].guest = "system.hostname";
  EXPECT_THAT(entry(c.plan(), "system.hostname").refused, HasSubstr("before any service runs"));
}

TEST(Plan, KeepsUsersOwnStringsWhereTheyCanStand) {
  Case c = vm_with({1});
  c.vm.long_form.oem_strings = {"com.example:x=y", "io.systemd.credential:A=handled elsewhere"};
  const Plan plan = c.plan();
  EXPECT_TRUE(plan.deliverable());
  EXPECT_EQ(plan.structures.at(0).entries.size(), 2U);
  EXPECT_EQ(plan.entries.size(), 1U);
  c.vm.qemu_machine = "microvm";
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("com.example:x")));
  c.vm.qemu_machine = "q35";
  c.vm.long_form.oem_strings = {"io.systemd.stub.kernel-cmdline-extra=x"};
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("how the guest boots")));
  c.vm.long_form.oem_strings = {""};
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("empty OEM string")));
}

TEST(Plan, FitsCloudHypervisorIntoOneStructure) {
  Case c = vm_with({1000, 1000, 1000, 1000});
  c.vm.hypervisor = Hypervisor::cloud_hypervisor;
  const Plan plan = c.plan();
  EXPECT_FALSE(plan.deliverable());
  ASSERT_EQ(plan.structures.size(), 1U);
  EXPECT_LE(plan.structures[0].raw_size, kPageStructure);
  EXPECT_EQ(plan.structures[0].entries.size(), 2U);
  c.vm.guest.systemd = 257;
  EXPECT_TRUE(c.plan().deliverable());
  c.vm.architecture = "aarch64";
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("aarch64")));
}

TEST(Plan, RefusesALinkWhereThereIsNone) {
  Case c = vm_with({});
  c.vm.hypervisor = Hypervisor::crosvm;
  c.vm.initrd = "/initrd";
  c.vm.guest = {.systemd = 262, .systemd_in_initrd = true};
  c.with_link = true;
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("crosvm has no link")));
}

TEST(Plan, KnowsTheBodyLimitOfOlderCloudHypervisors) {
  Case c = vm_with({20'000, 15'000});
  c.vm.hypervisor = Hypervisor::cloud_hypervisor;
  c.vm.guest.systemd = 257;
  EXPECT_THAT(check_deliverable(c.plan()), FailsWith(Errc::invalid_data, HasSubstr("51200")));
  c.version = "v54.0";
  EXPECT_THAT(check_deliverable(c.plan()), Succeeds());
}

TEST(Plan, NamesTheFirstReasonAndCountsTheOthers) {
  Case c = vm_with({0, 0});
  EXPECT_THAT(check_deliverable(c.plan()),
              FailsWith(Errc::invalid_data, HasSubstr("'A': the value is empty (and 1 more")));
}

TEST(FirstSystemd, OfEachChannelIsMinded) {
  Case c = vm_with({20});
  for (const int version : {249, 250, 251, 252}) {
    c.vm.guest.systemd = version;
    const Plan plan = c.plan();
    const Entry& e = entry(plan, "A");
    if (version < 251) {
      EXPECT_FALSE(e.channel) << version;
      EXPECT_THAT(e.refused, HasSubstr("imports nothing from SMBIOS, 252 is the first that does"));
      EXPECT_THAT(e.remedy, HasSubstr("declare guest.agent = true if the image has it"));
    } else {
      EXPECT_EQ(e.channel, version == 251 ? Channel::fw_cfg : Channel::smbios) << version;
    }
  }
  // An agent fetches by reference; it finds the link's token by itself.
  c.vm.guest.systemd = 249;
  c.vm.guest.agent = c.with_link = c.with_reference = true;
  EXPECT_EQ(entry(c.plan(), "A").channel, Channel::reference);
  EXPECT_EQ(entry(c.plan(), kLinkCredential).channel, Channel::smbios);
  c.vm.hypervisor = Hypervisor::cloud_hypervisor;
  c.vm.guest.agent = c.with_link = c.with_reference = false;
  c.vm.guest.systemd = 251;
  EXPECT_FALSE(entry(c.plan(), "A").channel);
}

}  // namespace
}  // namespace vmcred::credential
