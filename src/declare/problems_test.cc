// What people read when a declaration is wrong: each with its place and its remedy, compared with golden files.
#include <string>

#include "declare/load.h"
#include "matchers.h"

namespace vmcred::declare {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::MatchesGolden;

std::string told(const Reading& reading) {
  std::string text;
  for (const Problem& problem : reading.problems) {
    text += fmt::format("{}: {}\n", where(problem.place), problem.message);
    if (!problem.hint.empty()) text += fmt::format("    {}\n", problem.hint);
  }
  return text;
}

std::string told_of(std::string_view toml) { return told(read_toml(toml, "vmcred.toml")); }

constexpr std::string_view kStart = "[machines.host]\n[generators.gen]\nfiles.key = {}\n";

TEST(Problems, OfForwardsNameEveryPortThatIsNone) {
  const auto of = [](const std::string& forward) {
    return told_of(
        fmt::format("{}[vms.web]\nkernel = \"k\"\nnetworks = [{{ forward = [\"{}\"] }}]\n", kStart, forward));
  };
  for (const char* good : {"tcp::1:65535", "udp:127.0.0.1:2222:22"}) EXPECT_EQ(of(good), "") << good;
  for (const char* bad : {"tcp::0:22", "tcp::22:65536", "tcp::22:123456", "tcp::22:", "tcp::22:2x", "tcp::-1:22",
                          "tcp:x:22:22", "sctp::22:22", "tcp:22:22"})
    EXPECT_THAT(of(bad), HasSubstr(fmt::format("'{}' is not a forward", bad)));
}

TEST(Problems, OfVersionsOfAVmm) {
  const auto of = [](const std::string& version) {
    return told_of(fmt::format("{}[vms.web]\nkernel = \"k\"\nvmm.version = \"{}\"\n", kStart, version));
  };
  for (const char* good : {"54", "54.0", "v54.0", "1.16.1"}) EXPECT_EQ(of(good), "") << good;
  for (const char* bad : {"v", "54.", ".54", "v54.0-3-gabc", "latest", "5 4", "54.0\\n"})
    EXPECT_THAT(of(bad), HasSubstr("is no version")) << bad;
}

TEST(Problems, OfKeys) {
  EXPECT_THAT(told_of(R"(
[machine.host]
[machines.host]
colour = "red"
[generators.gen]
runtime_inputs = []
files.key = { mod = "0400" }
[vms.web]
hypervizor = "qemu"
oem_strings = []
credentials.key = { from = "gen/key", sevices = ["a"] }
guest.system = 252
)"),
              MatchesGolden("declare/keys.txt"));
}

TEST(Problems, OfTypes) {
  EXPECT_THAT(told_of(R"(
[machines]
host = "x"
[generators.gen]
share = "yes"
machines = "host"
script = ["a"]
files.key = { mode = 400, secret = 1 }
files.other = true
validation = [1]
[vms.web]
memory = 512
vcpus = "2"
kernel = 1
extra-arguments = ["a", 2]
disks = [{ path = 1979-05-27 }]
credentials = []
guest.agent = "true"
)"),
              MatchesGolden("declare/types.txt"));
}

TEST(Problems, OfValues) {
  EXPECT_THAT(told_of(R"(
[machines.host]
[generators.gen]
runtime-inputs = ["bin/openssl"]
rotate-after = "90"
on-stale = "regenrate"
files.key = { mode = "400", needed-for = "service", owner = "a:b" }
prompts.ask = { type = "secret" }
[vms.web]
hypervisor = "quemu"
qemu.machine = "q36"
memory = "lots"
vcpus = 0
vsock-cid = 2
receipt = "required"
receipt-timeout = "0s"
start-timeout = "soon"
networks = [{ type = "tap" }, { forward = ["2222:22"], mac = "1" }]
disks = [{ format = "vmdk" }]
shares = [{ tag = "a" }]
guest.systemd = 25
[vms.web.credentials]
a = { from = "gen" }
b = { from = "gen/key", value = "x" }
c = {}
d = { from = "gen/key", on-change = "signal:hup!" }
e = { value = "x", services = ["web.socket"] }
)"),
              MatchesGolden("declare/values.txt"));
}

TEST(Problems, OfNames) {
  EXPECT_THAT(told_of(R"(
[machines.Host]
[generators."a/b"]
files.".vmcred.json" = {}
prompts.".." = {}
[generators.gen]
files.key = {}
[vms.web_1.credentials]
"a:b" = { value = "x" }
"a=b" = { value = "x" }
socket = { value = "x", guest = "vmm.notify_socket" }
link = { from = "gen/key", guest = "vmcred.link" }
)"),
              MatchesGolden("declare/names.txt"));
}

TEST(Problems, OfCollisions) {
  EXPECT_THAT(told_of(std::string(kStart) + R"(
[vms.web.credentials]
a-b = { from = "gen/key" }
a_b = { value = "x" }
c = { value = "x", guest = "D" }
d = { value = "x" }
)"),
              MatchesGolden("declare/collisions.txt"));
}

TEST(Problems, OfReferences) {
  EXPECT_THAT(told_of(R"(
[machines.host]
[machines.other]
[generators.gen]
dependencies = ["bass"]
machines = ["hosst"]
files.api-key = {}
files.kept = { deploy = false }
[generators.base]
[generators.own]
vms = ["wbe"]
files.key = {}
[vms.web]
machine = "host"
[vms.web.credentials]
a = { from = "gem/api-key" }
b = { from = "base/api-key" }
c = { from = "own/key" }
[vms.db]
machine = "q35"
[vms.third]
)"),
              MatchesGolden("declare/references.txt"));
}

TEST(Problems, OfSources) {
  EXPECT_THAT(told_of(std::string(kStart) + R"(
files.kept = { deploy = false }
[machines.other]
[generators.there]
machines = ["other"]
files.key = {}
[vms.web]
machine = "host"
[vms.web.credentials]
a = { from = "gen/kee" }
b = { from = "gen/kept" }
c = { from = "there/key" }
)"),
              MatchesGolden("declare/sources.txt"));
}

TEST(Problems, OfTheFourLists) {
  EXPECT_THAT(told_of(std::string(kStart) + R"(
[vms.web]
load-credential = ["host-api-key:gen/key", "host-api-key:gen/key", "alone", "a/b:gen/key", "host-x:relative"]
credential-files = ["host-apikey", "host-api-key", "host-api-key"]
oem-strings = ["ENVIRONMENT=test", "io.systemd.credentials:A=b", "io.systemd.credential:NOTHING", "io.systemd.credential.binary:B=!!"]
[vms.web.guest.services.app]
load-credential = ["api-key:API_KEY", "api-key:OTHER", "a/b:C", "x:"]
health = "soon"
health-command = ["web-check"]
[vms.web.guest.services."app.timer"]
)"),
              MatchesGolden("declare/lists.txt"));
}

TEST(Problems, OfSecretsThatStandInTheDeclaration) {
  const Reading reading = read_toml(std::string(kStart) + R"(
[vms.web]
oem-strings = ["io.systemd.credential:DB=postgres://app:hunter2@db/app"]
credentials.token = { value = "q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e" }
credentials.known = { value = "q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e", public = true }
)",
                                    "vmcred.toml");
  const std::string text = told(reading);
  EXPECT_THAT(text, MatchesGolden("declare/secrets.txt"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("q7Jx0")));
}

TEST(Problems, OfSyntax) {
  std::string text;
  for (const char* toml : {"a = ", "[machines.host]\n[machines.host]\n", "[git]\ncommit = true\ncommit = false\n",
                           "[vms\n", "[.a]\n", "# ü\na = \"ü\"\nb = 1 ü\n", "[\xff]\n", "x = \"a\nb\"\n"})
    text += told_of(toml);
  for (const char* json : {"{", "{\"machines\": {}, \"machines\": {}}", "[]", "{} x"})
    text += told(read_json(json, "vmcred.json"));
  EXPECT_THAT(text, MatchesGolden("declare/syntax.txt"));
}

TEST(Problems, InJsonHaveAPointer) {
  EXPECT_THAT(
      told(read_json(
          R"({"machines": {"h": {}}, "vms": {"a~b/c": {"memory": 5}, "web": {"credentials": {"k": {"from": "g/f"}},
                             "extra-arguments": ["x", 1], "colour": 1}}})",
          "vmcred.json")),
      MatchesGolden("declare/pointers.txt"));
}

TEST(Problems, AreAllTold) {
  const auto declaration = parse_toml("[machines.host]\nx = 1\n[vms.web]\nvcpus = 0\n", "vmcred.toml");
  ASSERT_THAT(declaration, FailsWith(Errc::invalid_data, HasSubstr("2 problems in 'vmcred.toml'")));
  EXPECT_EQ(declaration.error().message,
            "2 problems in 'vmcred.toml'\n"
            "  vmcred.toml:2:1: machine 'host': unknown key 'x' (known keys are default-groups)\n"
            "  vmcred.toml:4:9: vm 'web': 'vcpus' is 0, outside 1 to 4096");
}

TEST(Problems, OfOneAreAMessageAndAHint) {
  const auto declaration = parse_toml("[machines.host]\n[vms.web]\nvcpu = 2\n", "vmcred.toml");
  ASSERT_THAT(declaration, FailsWith(Errc::invalid_data, "vmcred.toml:3:1: vm 'web': unknown key 'vcpu'"));
  EXPECT_EQ(declaration.error().hint, "did you mean 'vcpus'?");
}

}  // namespace
}  // namespace vmcred::declare
