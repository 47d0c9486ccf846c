// One bad project a code, found exactly once; the examples have no findings.
#include "chain/check.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"
#include "chain/report.h"
#include "matchers.h"

namespace vmcred::chain {
namespace {

using testing::HasSubstr;
using testing::TestFolder;

std::string told(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& each : findings)
    text += fmt::format("{} {}: {}\n", code_name(each.code), declare::where(each.place), each.message);
  return text;
}

/// Everything that needs no store.
std::vector<Finding> findings_of(std::string_view toml) {
  const declare::Reading reading = declare::read_toml(toml, "vmcred.toml");
  std::vector<Finding> all = check_declaration(reading);
  if (!reading.problems.empty()) return all;
  for (auto& each : check_plans(reading.declaration, nullptr)) all.push_back(each);
  for (auto& each : check_sources(reading.declaration)) all.push_back(each);
  return all;
}

void expect_once(const std::vector<Finding>& findings, Code code) {
  EXPECT_EQ(std::ranges::count(findings, code, &Finding::code), 1) << code_name(code) << "\n" << told(findings);
  EXPECT_EQ(std::ranges::count_if(findings,
                                  [&](const Finding& each) { return each.level != Level::note || each.code == code; }),
            1)
      << code_name(code) << "\n"
      << told(findings);
}

const std::string kStart = "[machines.host]\n[generators.web-secrets]\nfiles.key = {}\nfiles.two = {}\n[vms.web]\n";
const std::string kUsed = "credentials.key = { from = \"web-secrets/key\", services = [\"app\"] }\n";

TEST(Check, FindsNothingInTheExamples) {
  for (const char* name : {"test-vm", "minimal", "long-form"}) {
    const auto text = read_file(testing::source_folder() + "/examples/" + name + "/vmcred.toml", 100000);
    ASSERT_THAT(text, testing::Succeeds());
    EXPECT_EQ(told(findings_of(*text)), "") << name;
    const auto tree = check_tree(testing::source_folder() + "/examples/" + name);
    ASSERT_THAT(tree, testing::Succeeds());
    EXPECT_EQ(told(*tree), "");
  }
}

TEST(Check, EveryCodeHasAPageAndEveryPageACode) {
  for (const CodeInfo& each : codes()) {
    const std::string_view text = page(code_name(each.code));
    EXPECT_THAT(std::string(text), ::testing::StartsWith(fmt::format("# {}: {}\n\nLevel: {}\n", code_name(each.code),
                                                                     each.summary, level_name(each.level))));
  }
  const auto pages = list_folder(testing::source_folder() + "/docs/findings");
  ASSERT_THAT(pages, testing::Succeeds());
  EXPECT_EQ(std::ranges::count_if(*pages, [](const std::string& name) { return name.starts_with("VC"); }),
            static_cast<std::ptrdiff_t>(codes().size()));
}

TEST(Check, FindsEachProblemOfADeclarationOnce) {
  expect_once(findings_of(kStart + "hypervizor = \"qemu\"\n" + kUsed), Code::invalid_declaration);
  expect_once(findings_of(kStart + "credentials.a-b = { value = \"x\", services = [\"s\"] }\ncredentials.a_b = { value "
                                   "= \"y\", services = [\"t\"] }\n"),
              Code::collision);
  expect_once(findings_of(kStart + "credentials.x = { value = \"x\", guest = \"vmcred.x\" }\n"), Code::reserved_name);
  expect_once(findings_of(kStart + "credentials.\"a:b\" = { value = \"x\", services = [\"s\"] }\n"), Code::bad_name);
  expect_once(findings_of(kStart + "credentials.x = { from = \"web-secrets/kee\", services = [\"s\"] }\n"),
              Code::unknown_reference);
  expect_once(
      findings_of(kStart + "credentials.x = { value = \"q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e\", services = [\"s\"] }\n"),
      Code::secret_in_static);
}

TEST(Check, FindsTheGuidesFirstPitfall) {
  const auto near =
      findings_of(kStart + "load-credential = [\"host-key:web-secrets/key\"]\ncredential-files = [\"host-kei\"]\n");
  expect_once(near, Code::not_loaded);
  EXPECT_THAT(near.front().hint, HasSubstr("did you mean 'host-key'?"));
  expect_once(findings_of(kStart + "load-credential = [\"host-key:web-secrets/key\", "
                                   "\"host-two:web-secrets/two\"]\ncredential-files = [\"host-key\"]\n"),
              Code::not_injected);
}

TEST(Check, FindsTheGuidesSecondPitfall) {
  expect_once(findings_of(kStart + "load-credential = [\"key:web-secrets/key\"]\ncredential-files = [\"key\"]\n"),
              Code::no_host_prefix);
}

TEST(Check, FindsTheGuidesThirdPitfall) {
  for (const char* wrong : {"key:key", "key:HOST_KEY", "key:host-key", "key:KEI"}) {
    const auto findings = findings_of(kStart +
                                      "load-credential = [\"host-key:web-secrets/key\"]\ncredential-files = "
                                      "[\"host-key\"]\nguest.services.app.load-credential = [\"" +
                                      wrong + "\"]\n");
    expect_once(findings, Code::wrong_guest_name);
    EXPECT_THAT(told(findings), HasSubstr("does not receive"));
    const auto found = std::ranges::find(findings, Code::wrong_guest_name, &Finding::code);
    EXPECT_THAT(found->hint, HasSubstr("did you mean 'KEY'?")) << wrong;
  }
}

TEST(Check, FindsTheGuidesFifthPitfall) {
  expect_once(findings_of("[machines.host]\n[generators.web-secrets]\nfiles.key = { mode = \"0444\" }\n"),
              Code::open_mode);
  expect_once(findings_of("[machines.host]\n[generators.web-secrets]\nfiles.key = { mode = \"0200\" }\n"),
              Code::open_mode);
}

TEST(Check, AdvisesOnNamesAndConsumersWithoutAFinding) {
  const auto name = findings_of(
      "[machines.host]\n[generators.gen]\nfiles.key = {}\n[vms.web]\ncredentials.key = { from = \"gen/key\", services "
      "= [\"a\"] }\n");
  expect_once(name, Code::generator_name);
  EXPECT_FALSE(any_findings(name));
  const auto consumer = findings_of(kStart + "credentials.key = { from = \"web-secrets/key\" }\n");
  expect_once(consumer, Code::unconsumed);
  EXPECT_FALSE(any_findings(consumer));
  EXPECT_EQ(told(findings_of(
                kStart + "credentials.key = { from = \"web-secrets/key\", guest = \"ssh.authorized_keys.root\" }\n")),
            "");
}

TEST(Check, FindsWhatTheGuestCannotReceive) {
  const auto findings = findings_of(kStart +
                                    "guest.systemd = 252\nqemu.machine = \"microvm\"\ncredentials.key = { value = "
                                    "\"x\", services = [\"s\"], guest = \"" +
                                    std::string(29, 'K') + "\" }\n");
  expect_once(findings, Code::over_budget);
  expect_once(findings_of(kStart + "hypervisor = \"firecracker\"\n" + kUsed), Code::no_channel);
}

TEST(Check, PassesOnWhatThePlanWarnsOf) {
  std::string toml = kStart + "guest.systemd = 257\n";
  for (int i = 0; i < 260; ++i) toml += fmt::format("credentials.c{} = {{ value = \"x\", services = [\"s\"] }}\n", i);
  expect_once(findings_of(toml), Code::plan_remark);
}

TEST(Check, FindsCredentialsOnTheKernelsCommandLine) {
  expect_once(findings_of(kStart + "command-line = \"quiet systemd.set_credential=a:b\"\n" + kUsed),
              Code::on_kernel_command_line);
}

TEST(Check, FindsSourcesThatOthersCanRead) {
  const TestFolder folder;
  const std::string path = folder.write("key", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  const std::string toml = kStart + fmt::format("credentials.key = {{ from = \"{}\", services = [\"s\"] }}\n", path);
  expect_once(findings_of(toml), Code::readable_source);
  ASSERT_EQ(::chmod(path.c_str(), 0400), 0);
  EXPECT_EQ(told(findings_of(toml)), "");
}

TEST(Check, FindsNamesThatAreTooLongForASocket) {
  const TestFolder folder;
  const std::string path = folder / "s";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const Fd owner(fd);
  const std::string source = fmt::format("{{ from = \"{}\", services = [\"s\"] }}\n", path);
  EXPECT_EQ(told(findings_of(kStart + "credentials.key = " + source)), "");
  expect_once(findings_of(kStart + "credentials." + std::string(60, 'k') + " = " + source), Code::socket_name_too_long);
}

TEST(Check, FindsPrivateKeysInTheTree) {
  const TestFolder folder;
  folder.write("notes/key.pem",
               std::string("-----BEGIN PRIV") + "ATE KEY-----\nMIIB\n-----END PRIV" + "ATE KEY-----\n");
  folder.write("vars/ours", std::string("-----BEGIN PRIV") + "ATE KEY-----\n");
  folder.write("README.md", "A file that begins with BEGIN PRIVATE KEY is a key\n");
  const auto findings = check_tree(folder.path());
  ASSERT_THAT(findings, testing::Succeeds());
  expect_once(*findings, Code::plaintext_in_tree);
  EXPECT_THAT(findings->front().place.file, HasSubstr("notes/key.pem"));
}

TEST(Check, FindsTokensInTheTree) {
  const TestFolder folder;
  folder.write("ci/deploy.sh",
               std::string("curl -H 'Authorization: token gh") + "p_0123456789abcdefghijABCDEFGHIJ012345'\n");
  folder.write("README.md", std::string("Put your token here: gh") + "p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
  const auto findings = check_tree(folder.path());
  ASSERT_THAT(findings, testing::Succeeds());
  expect_once(*findings, Code::plaintext_in_tree);
  EXPECT_THAT(told(*findings), HasSubstr("deploy.sh' holds a GitHub token"));
  EXPECT_THAT(told(*findings), ::testing::Not(HasSubstr("0123456789")));
}

std::vector<Finding> unit_findings(const std::string& lines, int systemd = 252) {
  return check_units({{"/etc/systemd/system/app.service", "[Service]\nPrivateMounts=yes\n" + lines}}, systemd);
}

TEST(Check, FindsFaultsOfUnits) {
  EXPECT_EQ(told(unit_findings("LoadCredential=key:/run/key\nLoadCredential=other:/run/a:b\n")), "");
  expect_once(unit_findings("LoadCredential=key:KEY\n"), Code::relative_load_credential);
  expect_once(unit_findings("LoadCredential=key\n"), Code::relative_load_credential);
  EXPECT_EQ(told(unit_findings("LoadCredential=key:KEY\n[Unit]\nAssertCredential=KEY\n")), "");
  expect_once(unit_findings("ImportCredential=app.*\n"), Code::import_credential_too_old);
  EXPECT_EQ(told(unit_findings("ImportCredential=app.*\n", 254)), "");
  expect_once(unit_findings("RefreshOnReload=credentials\n"), Code::refresh_too_old);
  expect_once(unit_findings("LoadCredential=a/b:/run/key\n"), Code::ignored_credential_line);
  expect_once(unit_findings("LoadCredential=a:../key\n"), Code::ignored_credential_line);
  expect_once(unit_findings("LoadCredential=a:/run/a\nLoadCredential=a:/run/b\n"), Code::credential_twice);
  EXPECT_EQ(told(unit_findings("LoadCredential=a:/run/a\nLoadCredential=\nLoadCredential=a:/run/b\n")), "");
}

TEST(Check, LetsWellKnownCredentialsBeOptional) {
  EXPECT_EQ(told(check_units({{"a.service", "[Service]\nLoadCredential=login.issue\nImportCredential=udev.*\n"}}, 257)),
            "");
  expect_once(unit_findings("LoadCredential=app.key\n"), Code::relative_load_credential);
}

TEST(Check, FindsSecretsInUnits) {
  expect_once(unit_findings("Environment=\"DB_PASSWORD=hunter2\" LANG=C\n"), Code::secret_in_unit);
  expect_once(unit_findings("SetCredential=token:hunter2\n"), Code::secret_in_unit);
  expect_once(unit_findings("ExecStart=/bin/app \\\n  --key q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e\n"), Code::secret_in_unit);
  EXPECT_EQ(told(unit_findings("Environment=PASSWORD_FILE=%d/key TOKEN=\nExecStart=/bin/app --token-file=%d/key\n")),
            "");
  EXPECT_THAT(told(unit_findings("Environment=DB_PASSWORD=hunter2\n")), ::testing::Not(HasSubstr("hunter2")));
}

TEST(Check, ReadsTheFilesOfAUnitTogether) {
  const UnitText host{"/etc/systemd/system/microvm@.service", "[Service]\nExecStart=/bin/vm\n"};
  const UnitText drop_in{"/etc/systemd/system/microvm@web.service.d/a.conf",
                         "[Service]\nLoadCredential=host-key:/run/key\n"};
  expect_once(check_units({host, drop_in}, 252), Code::no_private_mounts);
  const UnitText isolated{"/etc/systemd/system/microvm@.service.d/b.conf", "[Service]\nPrivateTmp=yes\n"};
  EXPECT_EQ(told(check_units({host, drop_in, isolated}, 252)), "");
  const UnitText bare{"/etc/systemd/system/microvm@web.service.d/c.conf", "[Service]\nLoadCredential=key:/run/key\n"};
  expect_once(check_units({isolated, bare}, 252), Code::no_host_prefix);
}

std::vector<Finding> argv_findings(std::vector<std::string> words, int systemd = 252) {
  return check_command_line(words, "command line", systemd);
}

TEST(Check, FindsFaultsOfQemusCommandLine) {
  const std::string qemu = "/usr/bin/qemu-system-x86_64";
  EXPECT_EQ(told(argv_findings({qemu, "-M", "q35", "-smbios", "file=/proc/self/fd/10", "-append", "quiet"})), "");
  expect_once(argv_findings({qemu, "-smbios", "type=11,value=io.systemd.credential.binary:KEY=aHVudGVyMg=="}),
              Code::secret_on_command_line);
  expect_once(argv_findings({qemu, "-smbios", "type=11,value=io.systemd.credential:DB_PASSWORD=hunter2"}),
              Code::secret_on_command_line);
  const auto harmless = argv_findings({qemu, "-smbios", "type=11,value=io.systemd.credential:ENVIRONMENT=test"});
  EXPECT_FALSE(any_findings(harmless)) << told(harmless);
  expect_once(argv_findings({qemu, "-fw_cfg", "name=opt/io.systemd.credentials/token,string=hunter2"}),
              Code::secret_on_command_line);
  expect_once(
      argv_findings({qemu, "-fw_cfg", "name=opt/io.systemd.credentials/" + std::string(29, 'a') + ",file=/dev/fd/3"}),
      Code::fw_cfg_name_too_long);
  expect_once(
      argv_findings({qemu, "-M", "microvm,acpi=on", "-smbios", "type=11,value=io.systemd.credential:ENVIRONMENT=test"}),
      Code::smbios_ignored);
  expect_once(argv_findings({qemu, "-smbios", "type=11,path=/dev/fd/3"}), Code::path_overrun);
  expect_once(argv_findings({qemu, "-append", "quiet systemd.set_credential=a:b"}), Code::on_kernel_command_line);
  expect_once(argv_findings({qemu, "-smbios", "type=11,value=io.systemd.credential:MOTD=" + std::string(5000, ' ')}),
              Code::too_much_for_a_page);
  EXPECT_FALSE(any_findings(
      argv_findings({qemu, "-smbios", "type=11,value=io.systemd.credential:MOTD=" + std::string(5000, ' ')}, 257)));
  expect_once(argv_findings({qemu, "-object", "secret,id=a,data=q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e"}),
              Code::secret_on_command_line);
}

TEST(Check, FindsFaultsOfOtherCommandLines) {
  expect_once(argv_findings({"cloud-hypervisor", "--platform", "oem_strings=[io.systemd.credential:PASSWORD=hunter2]"}),
              Code::secret_on_command_line);
  expect_once(argv_findings({"cloud-hypervisor", "--platform", "oem_strings=[io.systemd.credential:MOTD=hello,world]"}),
              Code::split_at_commas);
  expect_once(argv_findings({"crosvm", "run", "--smbios", "oem-strings=[io.systemd.credential:TOKEN=hunter2]"}),
              Code::secret_on_command_line);
  expect_once(argv_findings({"crosvm", "run", "--oem-strings", "io.systemd.credential:TOKEN=hunter2"}),
              Code::secret_on_command_line);
  expect_once(argv_findings({"crosvm", "run", "--fw-cfg", "name=opt/io.systemd.credentials/token,string=hunter2"}),
              Code::secret_on_command_line);
  expect_once(argv_findings({"crosvm", "run", "--fw-cfg",
                             "name=opt/io.systemd.credentials/" + std::string(29, 'a') + ",path=/dev/fd/3"}),
              Code::fw_cfg_name_too_long);
  expect_once(argv_findings({"crosvm", "run", "-p", "systemd.set_credential=a:b"}), Code::on_kernel_command_line);
  expect_once(argv_findings({"crosvm", "run", "--smbios", "oem-strings=[io.systemd.credential:MOTD=hello,world]"}),
              Code::split_at_commas);
  // Quotes keep commas together in crosvm alone.
  const std::string quoted =
      "oem-strings=['io.systemd.credential:MOTD=hello,world',\"io.systemd.credential:NOTE=a\\\"b\"]";
  EXPECT_FALSE(any_findings(argv_findings({"crosvm", "run", "--smbios", quoted})))
      << told(argv_findings({"crosvm", "run", "--smbios", quoted}));
  expect_once(
      argv_findings({"cloud-hypervisor", "--platform", "oem_strings=['io.systemd.credential:MOTD=hello,world']"}),
      Code::split_at_commas);
  expect_once(argv_findings({"cloud-hypervisor", "--cmdline", "systemd.set_credential_binary=a:YQ=="}),
              Code::on_kernel_command_line);
  EXPECT_EQ(told(argv_findings({"cloud-hypervisor", "--api-socket", "fd=3"})), "");
  EXPECT_EQ(told(argv_findings({})), "");
}

TEST(Check, FindsSecretsInDomains) {
  const std::string begin =
      "<domain type='kvm'>\n <os><type arch='x86_64' machine='q35'>hvm</type><smbios mode='sysinfo'/></os>\n <sysinfo "
      "type='smbios'>\n  <oemStrings>\n";
  const std::string end = "  </oemStrings>\n </sysinfo>\n</domain>\n";
  const auto findings = *check_domain(begin +
                                          "   <!-- <entry>io.systemd.credential:OLD_TOKEN=x</entry> -->\n   "
                                          "<entry>io.systemd.credential:TOKEN=a&amp;b</entry>\n" +
                                          end,
                                      "web.xml", 252);
  expect_once(findings, Code::secret_in_domain);
  EXPECT_EQ(findings.front().place.line, 6);
  EXPECT_THAT(told(findings), ::testing::Not(HasSubstr("a&b")));
  expect_once(*check_domain("<domain><qemu:commandline><qemu:arg value='-smbios'/><qemu:arg "
                            "value='type=11,value=io.systemd.credential:TOKEN=x'/></qemu:commandline></domain>",
                            "web.xml", 252),
              Code::secret_on_command_line);
  EXPECT_EQ(told(*check_domain("<domain/>", "web.xml", 252)), "");
}

}  // namespace
}  // namespace vmcred::chain
