// What others wrote (domains, configurations, command lines, units), judged: what is found where, and what is not.
#include <algorithm>

#include "chain/check.h"
#include "chain/report.h"
#include "matchers.h"

namespace vmcred::chain {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// "LINE CODE" of each finding that is no note, sorted.
std::vector<std::string> lines(std::vector<Finding> findings) {
  sort_findings(findings);
  std::vector<std::string> all;
  for (const Finding& each : findings)
    if (each.level != Level::note) all.push_back(fmt::format("{} {}", each.place.line, code_name(each.code)));
  return all;
}
/// "ARGUMENT CODE", by the argument's number.
std::vector<std::string> arguments(const std::vector<std::string>& words, int systemd = 257) {
  std::vector<std::pair<int, std::string>> found;
  for (const Finding& each : check_command_line(words, "command line", systemd))
    if (each.level != Level::note)
      found.emplace_back(std::stoi(each.place.file.substr(each.place.file.rfind(' '))), code_name(each.code));
  std::ranges::sort(found);
  std::vector<std::string> all;
  for (const auto& [argument, code] : found) all.push_back(fmt::format("{} {}", argument, code));
  return all;
}
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words(1);
  for (const char c : line) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}
std::vector<std::string> arguments(const char* line, int systemd = 257) { return arguments(words_of(line), systemd); }

std::vector<std::string> domain(
    const std::string& inner,
    const std::string& os = "<type arch='x86_64' machine='q35'>hvm</type><smbios mode='sysinfo'/>") {
  const auto findings = check_domain(
      "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><os>" + os + "</os>\n" + inner + "</domain>",
      "web.xml", 257);
  EXPECT_THAT(findings, testing::Succeeds());
  return findings ? lines(*findings) : std::vector<std::string>();
}
std::string oem(const std::string& text) {
  return "<sysinfo type='smbios'><oemStrings><entry>" + text + "</entry></oemStrings></sysinfo>";
}

TEST(Domains, AreReadAsXmlIs) {
  EXPECT_THAT(domain(oem("<![CDATA[io.systemd.credential:db-password=hunter2]]>")), ElementsAre("2 VC050"));
  EXPECT_THAT(domain(oem("io.systemd&#46;credential:db-password=hunter2")), ElementsAre("2 VC050"));
  EXPECT_THAT(domain("<!-- " + oem("io.systemd.credential:db-password=hunter2") + " -->"), IsEmpty());
  EXPECT_THAT(domain(oem("io.systemd.credential:motd=hello")), IsEmpty());
  EXPECT_THAT(domain("<uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid><devices><interface><mac "
                     "address='52:54:00:6b:3c:58'/></interface></devices>"),
              IsEmpty());
}

TEST(Domains, LoseWhatSystemdDoesNotTake) {
  EXPECT_THAT(domain(oem("\n  io.systemd.credential:app=hello\n")), ElementsAre("2 VC112"));
  EXPECT_THAT(domain(oem("IO.systemd.credential:app=hello")), ElementsAre("2 VC112"));
  EXPECT_THAT(domain(oem("io.systemd.credentials:app=hello")), ElementsAre("2 VC112"));
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1</entry><entry>io.systemd.credential:a=2")), ElementsAre("2 VC112"));
  EXPECT_THAT(domain(oem("io.systemd.credential.binary:a=%%%")), ElementsAre("2 VC050", "2 VC112"));
  EXPECT_THAT(domain(oem("io.systemd.credential:a")), ElementsAre("2 VC112"));
  EXPECT_THAT(domain(oem("vendor string")), IsEmpty());
}

TEST(Domains, GiveNothingToMachinesWithoutSmbios) {
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"), "<type arch='x86_64' machine='q35'>hvm</type>"),
              ElementsAre("1 VC113"));
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"), "<type>hvm</type><smbios mode='host'/>"),
              ElementsAre("1 VC113"));
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"),
                     "<type arch='aarch64' machine='virt'>hvm</type><smbios mode='sysinfo'/>"),
              ElementsAre("2 VC042"));
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"),
                     "<type arch='aarch64' machine='virt'>hvm</type><loader>/x</loader><smbios mode='sysinfo'/>"),
              IsEmpty());
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"),
                     "<type arch='armv7l' machine='virt'>hvm</type><loader>/x</loader><smbios mode='sysinfo'/>"),
              IsEmpty());
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"), "<type arch='s390x' machine='s390-ccw-virtio'>hvm</type>"),
              ElementsAre("2 VC042"));
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"), "<type arch='x86_64' machine='microvm'>hvm</type>"),
              ElementsAre("2 VC042"));
}

TEST(Domains, HaveItemsOfFwCfg) {
  const auto item = [](const std::string& entries) {
    return domain("<sysinfo type='fwcfg'>" + entries + "</sysinfo>");
  };
  EXPECT_THAT(item("<entry name='opt/io.systemd.credentials/db-password'>hunter2</entry>"), ElementsAre("2 VC050"));
  EXPECT_THAT(item("<entry name='opt/com.example/db-password'>hunter2</entry>"), ElementsAre("2 VC050"));
  EXPECT_THAT(item("<entry name='opt/io.systemd.credentials/" + std::string(29, 'x') + "' file='/x'/>"),
              ElementsAre("2 VC041"));
  EXPECT_THAT(item("<entry name='opt/io.systemd.credentials/a/b' file='/x'/>"), ElementsAre("2 VC112"));
  EXPECT_THAT(item("<entry name='opt/io.systemd.credentials/a' file='/x'/><entry name='opt/io.systemd.credentials/a' "
                   "file='/y'/>"),
              ElementsAre("2 VC112"));
  EXPECT_THAT(item("<entry name='opt/io.systemd.credential/a' file='/x'/>"), ElementsAre("2 VC112"));
  EXPECT_THAT(item("<entry name='opt/com.coreos/config' file='/x'/>"), IsEmpty());
}

TEST(Domains, OfRealHostsHaveManyPublicThings) {
  EXPECT_THAT(
      domain("<devices><tpm model='tpm-crb'><backend type='emulator'><encryption "
             "secret='0d1d7ea5-3f5a-4f2b-a1a3-9e0b5b3f1c12'/></backend></tpm>\n"
             "<graphics type='vnc' passwdValidTo='2025-01-01T00:00:00' keymap='en-us'/><disk><auth "
             "username='cinder'><secret type='ceph' uuid='a1b2c3d4-e5f6-4a5b-8c7d-9e0f1a2b3c4d'/></auth>\n"
             "<serial>8b3f2c1d-0a9e-4f7b-8c6d-5e4f3a2b1c0d</serial><wwn>5000c50015ea71ab</wwn></disk></devices>"),
      IsEmpty());
  EXPECT_THAT(domain("<devices><graphics type='vnc' passwd='hunter2'/></devices>"), ElementsAre("2 VC050"));
  EXPECT_THAT(domain("",
                     "<type>exe</type><init>/sbin/init</init><initarg>systemd.set_credential=a:b</initarg><initenv "
                     "name='API_TOKEN'>hunter2</initenv>"),
              ElementsAre("1 VC046", "1 VC050"));
}

TEST(Domains, PassWordsOnToQemu) {
  const auto passed = [](const std::string& inner, const std::string& os = "<type>hvm</type>") {
    return domain("<qemu:commandline>" + inner + "</qemu:commandline>", os);
  };
  EXPECT_THAT(passed("<qemu:arg value='-append'/>\n<qemu:arg value='systemd.set_credential=a:b'/>"),
              ElementsAre("3 VC046"));
  EXPECT_THAT(passed("<qemu:env name='API_TOKEN' value='hunter2'/>"), ElementsAre("2 VC050"));
  EXPECT_THAT(passed("<qemu:env name='DEBUG' value='1'/>"), IsEmpty());
  EXPECT_THAT(passed("<qemu:arg value='-smbios'/><qemu:arg value='type=11,value=io.systemd.credential:a=1'/>",
                     "<type arch='aarch64' machine='virt'>hvm</type>"),
              ElementsAre("2 VC042"));
  EXPECT_THAT(passed("<qemu:arg value='-smbios'/><qemu:arg value='type=11,value=io.systemd.credential:a=1'/>",
                     "<type arch='x86_64' machine='q35'>hvm</type>"),
              IsEmpty());
  EXPECT_THAT(domain("", "<type>hvm</type><cmdline>quiet systemd.set_credential=a:b</cmdline>"),
              ElementsAre("1 VC046"));
}

TEST(CommandLines, OfQemuLoseWhatSystemdDoesNotTake) {
  EXPECT_THAT(
      arguments("kvm -smbios type=11,value=io.systemd.credential:a=1 -smbios type=11,value=io.systemd.credential:a=2"),
      ElementsAre("4 VC112"));
  EXPECT_THAT(
      arguments(
          "kvm -fw_cfg name=opt/io.systemd.credentials/a,file=/x -smbios type=11,value=io.systemd.credential:a=2"),
      ElementsAre("4 VC112"));
  EXPECT_THAT(
      arguments("kvm -fw_cfg name=opt/io.systemd.credentials/a,file=/x -fw_cfg opt/io.systemd.credentials/a,file=/y"),
      ElementsAre("4 VC112"));
  EXPECT_THAT(arguments("kvm -fw_cfg name=opt/io.systemd.credentials/a/b,file=/x"), ElementsAre("2 VC112"));
  EXPECT_THAT(arguments("kvm -fw_cfg name=opt/io.systemd.credential/a,file=/x"), ElementsAre("2 VC112"));
  EXPECT_THAT(arguments("kvm -fw_cfg name=opt/io.systemd.credentials/a,file=/x -fw_cfg name=opt/com.example/b,file=/x"),
              IsEmpty());
  EXPECT_THAT(arguments("kvm -smbios type=0xb,value=io.systemd.credential.binary:k=aGVsbG8"),
              ElementsAre("2 VC040", "2 VC112"));
}

TEST(CommandLines, MayTellSystemdToTakeNothing) {
  const std::string offer = "-smbios type=11,value=io.systemd.credential:a=1 -append ";
  EXPECT_THAT(arguments(("kvm " + offer + "systemd.import_credentials=no").c_str()), ElementsAre("4 VC112"));
  EXPECT_THAT(arguments(("kvm " + offer + "systemd.import-credentials=0").c_str()), ElementsAre("4 VC112"));
  EXPECT_THAT(arguments(("kvm " + offer + "systemd.import_credentials=yes").c_str()), IsEmpty());
  EXPECT_THAT(arguments("kvm -append systemd.import_credentials=no"), IsEmpty());
  EXPECT_THAT(domain(oem("io.systemd.credential:a=1"),
                     "<type>hvm</type><smbios mode='sysinfo'/><cmdline>systemd.import_credentials=false</cmdline>"),
              ElementsAre("1 VC112"));
}

TEST(CommandLines, MayHaveKernelLinesInOemStrings) {
  EXPECT_THAT(arguments("kvm -smbios type=11,value=io.systemd.stub.kernel-cmdline-extra=systemd.set_credential=a:b"),
              ElementsAre("2 VC046"));
  EXPECT_THAT(arguments("systemd-vmspawn --smbios11=io.systemd.boot.kernel-cmdline-extra=systemd.set_credential=a:b"),
              ElementsAre("1 VC046"));
  EXPECT_THAT(arguments("kvm -smbios type=11,value=io.systemd.boot.kernel-cmdline-extra=quiet"), IsEmpty());
}

TEST(CommandLines, OfQemuForMachinesWithoutSmbios) {
  const std::string string = " -smbios type=11,value=io.systemd.credential:a=1";
  const auto lost = [&](const std::string& line) { return !arguments((line + string).c_str()).empty(); };
  for (const char* line :
       {"qemu-system-aarch64", "qemu-system-aarch64 -M virt",
        "/nix/store/x/bin/.qemu-system-aarch64-wrapped -M virt-9.0", "qemu-system-arm -M virt",
        "qemu-system-riscv64 -M virt -bios default", "qemu-system-s390x", "qemu-system-ppc64", "kvm -M virt",
        "qemu-system-x86_64 -M microvm", "qemu-system-x86_64 -machine accel=kvm,type=microvm"})
    EXPECT_TRUE(lost(line)) << line;
  for (const char* line :
       {"qemu-system-aarch64 -M virt -bios /usr/share/AAVMF/AAVMF_CODE.fd",
        "qemu-system-aarch64 -machine virt,pflash0=rom", "qemu-system-aarch64 -M virt -drive if=pflash,file=/x",
        "qemu-system-riscv64 -M virt -pflash /x", "qemu-system-x86_64 -M q35+pve0",
        "qemu-system-x86_64 -M pc-q35-9.2+pve1", "kvm", "qemu-system-i386"})
    EXPECT_FALSE(lost(line)) << line;
}

TEST(CommandLines, OfOtherHypervisorsLoseTheSame) {
  EXPECT_THAT(
      arguments("cloud-hypervisor --platform oem_strings=[io.systemd.credential:a=1,io.systemd.credential:a=2]"),
      ElementsAre("2 VC112"));
  EXPECT_THAT(arguments("cloud-hypervisor --platform oem_strings=[io.systemd.credential.binary:a=aGVsbG8]"),
              ElementsAre("2 VC040", "2 VC112"));
  EXPECT_THAT(arguments("crosvm run --oem-strings io.systemd.credential:a=1 --oem-strings io.systemd.credential:a=2"),
              ElementsAre("5 VC112"));
  EXPECT_THAT(arguments("crosvm run --fw-cfg name=opt/io.systemd.credentials/a/b,path=/x"), ElementsAre("3 VC112"));
  EXPECT_THAT(arguments("crosvm run --params=systemd.set_credential=a:b "
                        "--fw-cfg=name=opt/io.systemd.credentials/token,string=hunter2"),
              ElementsAre("2 VC046", "3 VC040"));
  EXPECT_THAT(arguments("cloud-hypervisor --cmdline=systemd.set_credential=a:b "
                        "--platform=oem_strings=[io.systemd.credential:token=hunter2]"),
              ElementsAre("1 VC046", "2 VC040"));
  EXPECT_THAT(arguments("jailer --id x --exec-file /usr/bin/firecracker -- --token hunter2"), ElementsAre("7 VC040"));
}

TEST(CommandLines, OfSystemdsAndOthersTools) {
  EXPECT_THAT(arguments("systemd-vmspawn --set-credential=db-password:hunter2 -D /x"), ElementsAre("1 VC040"));
  EXPECT_THAT(arguments("systemd-vmspawn --load-credential=a:/x --set-credential a:y"), ElementsAre("3 VC112"));
  EXPECT_THAT(arguments("systemd-vmspawn --set-credential=a"), ElementsAre("1 VC112"));
  EXPECT_THAT(arguments("systemd-vmspawn --load-credential=a/b:/x"), ElementsAre("1 VC112"));
  EXPECT_THAT(arguments("systemd-vmspawn -s io.systemd.credential:db-password=hunter2"), ElementsAre("2 VC040"));
  EXPECT_THAT(arguments("systemd-vmspawn -D /x systemd.set_credential=a:b"), ElementsAre("3 VC046"));
  EXPECT_THAT(arguments("systemd-nspawn -bD /x systemd.set_credential=a:b"), ElementsAre("3 VC046"));
  EXPECT_THAT(arguments("systemd-nspawn -D /x /bin/echo systemd.set_credential=a:b"), IsEmpty());
  EXPECT_THAT(arguments("systemd-nspawn --load-credential=a:/run/a -E LANG=C -b"), IsEmpty());
  EXPECT_THAT(arguments("mkosi --credential db-password=hunter2 vm"), ElementsAre("2 VC040"));
  EXPECT_THAT(arguments("mkosi --credential=/path/of/a/program vm"), IsEmpty());
  EXPECT_THAT(arguments("mkosi --passphrase mkosi.passphrase --key 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B build"),
              IsEmpty());
  EXPECT_THAT(arguments("mkosi --root-password hunter2 build"), ElementsAre("2 VC040"));
  EXPECT_THAT(arguments("mkosi qemu -smbios type=11,value=io.systemd.credential:db-password=hunter2"),
              ElementsAre("3 VC040"));
  EXPECT_THAT(arguments("mkosi boot systemd.set_credential=a:b"), ElementsAre("2 VC046"));
  EXPECT_THAT(arguments({"mkosi", "--qemu-args", "-append 'quiet systemd.set_credential=a:b'"}),
              ElementsAre("2 VC046"));
  EXPECT_THAT(
      arguments("virt-install --sysinfo type=fwcfg,entry0.name=opt/io.systemd.credentials/db-password,entry0=hunter2"),
      ElementsAre("2 VC040"));
  EXPECT_THAT(arguments("virt-install --sysinfo type=fwcfg,entry0.name=opt/io.systemd.credentials/a/b,entry0.file=/x"),
              ElementsAre("2 VC112"));
  EXPECT_THAT(arguments("virt-install --xml ./os/cmdline=systemd.set_credential=a:b"), ElementsAre("2 VC046"));
  EXPECT_THAT(arguments({"virt-install", "--qemu-commandline", "-append systemd.set_credential=a:b"}),
              ElementsAre("2 VC046"));
  EXPECT_THAT(arguments({"virt-install", "--extra-args", "console=ttyS0 systemd.set_credential=a:b"}),
              ElementsAre("2 VC046"));
  EXPECT_THAT(arguments("virt-install --disk size=10 --uuid c7a5fdbd-edaf-9455-926a-d65c16db1809 --network "
                        "network=default,mac=52:54:00:11:22:33"),
              IsEmpty());
}

TEST(CommandLines, OfCompilersAndLinkersHoldNoSecrets) {
  for (const char* line :
       {"cc1plus -quiet -frandom-seed=0c1m4l0d3f -isystem "
        "/nix/store/0c1m4l0d3fp2d8h6vyhqjklvn3w2d2gy-glibc-2.38/include -D_GLIBCXX_ASSERTIONS -dumpbase x.cc -o "
        "/tmp/cc5pJXwL.s",
        "ld -plugin-opt=-fresolution=/tmp/ccHk2xQz.res --build-id=0x8c2b1f0e9d7a6c5b4e3f2a1d0c9b8a7f6e5d4c3b "
        "--hash-style=gnu -rpath /nix/store/9w3k5z7v1b3n5m7q9s1d3f5g7h9j1k3l-openssl-3.0.12/lib",
        "rustc --crate-name serde -C metadata=0a1b2c3d4e5f6071 -C extra-filename=-0a1b2c3d4e5f6071 --extern "
        "serde_derive=/b/libserde_derive-9f8e7d6c5b4a3f2e.so",
        "compile -p main -buildid nJ7Xy0mQ2vR5sT8uWbZc/nJ7Xy0mQ2vR5sT8uWbZc",
        "ghc -this-unit-id aeson-2.1.2.1-5n5LvSAPH5E5qG9OqZ2Gna",
        "gcc -DGIT_COMMIT=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"})
    EXPECT_THAT(arguments(line), IsEmpty()) << line;
}

std::vector<std::string> configuration(const char* file, const std::string& text) {
  const auto findings = check_configuration(text, file, 257);
  EXPECT_THAT(findings, testing::Succeeds()) << text;
  return findings ? lines(*findings) : std::vector<std::string>();
}

TEST(Configurations, OfProxmox) {
  EXPECT_THAT(configuration("100.conf", "name: web\nmemory: 512\n"), IsEmpty());
  EXPECT_THAT(configuration("x.conf", "net0: virtio=BC:24:11:2A:4B:6C,bridge=vmbr0\ncipassword: hunter2\n"),
              ElementsAre("2 VC114"));
  EXPECT_THAT(configuration(
                  "100.conf",
                  "args: -smbios 'type=11,value=io.systemd.credential:api-token=hunter 2'\nmachine: pc-q35-9.2+pve1\n"),
              ElementsAre("1 VC040"));
  EXPECT_THAT(configuration("100.conf", "arch: aarch64\nargs: -smbios type=11,value=io.systemd.credential:a=1\n"),
              ElementsAre("2 VC042"));
  EXPECT_THAT(
      configuration("100.conf", "arch: aarch64\nargs: -smbios type=11,value=io.systemd.credential:a=1\nbios: ovmf\n"),
      IsEmpty());
  EXPECT_THAT(
      configuration("100.conf", "args: -M microvm -smbios type=11,value=io.systemd.credential:a=1\nmachine: q35\n"),
      ElementsAre("1 VC042"));
  EXPECT_THAT(configuration("100.conf", "cores: 1\n[snap]\nargs: -append systemd.set_credential=a:b\n"),
              ElementsAre("3 VC046"));
  EXPECT_THAT(configuration("100.conf", "smbios1: base64=1,serial=cGFzc3dvcmQ9aHVudGVyMg==\n"), ElementsAre("1 VC114"));
  EXPECT_THAT(configuration("100.conf", "#admin password%3A hunter2\ncores: 1\n"), ElementsAre("1 VC114"));
  EXPECT_THAT(
      configuration(
          "100.conf",
          "smbios1: uuid=5a2e9b3b-2d4e-4a0b-8a5a-1f2d3c4b5a69\nvmgenid: 0c4f6a2d-8f9e-4f0b-9a1d-2c3b4a5d6e7f\nsshkeys: "
          "ssh-ed25519%20AAAAC3NzaC1lZDI1NTE5AAAAIJ0v3Vb0a9v1m8Qe3n5R7sT9uVwXyZ0aBcDeFgHiJkLm%20me\n"),
      IsEmpty());
}

TEST(Configurations, OfIncus) {
  EXPECT_THAT(
      configuration("i.yaml", "config:\n  systemd.credential.db-password: hunter2\n  systemd.credential.motd: hello\n"),
      ElementsAre("2 VC114"));
  EXPECT_THAT(configuration("i.yaml", "config:\n  systemd.credential-binary.key: '%%%'\n"),
              ElementsAre("2 VC112", "2 VC114"));
  EXPECT_THAT(configuration("i.yaml", "config:\n  systemd.credential.a: x\n  systemd.credential-binary.a: aGVsbG8=\n"),
              ElementsAre("3 VC112", "3 VC114"));
  // Each instance has its own, and what is expanded is the same once more.
  EXPECT_THAT(
      configuration("i.json",
                    "[{\"config\":{\"systemd.credential.a\":\"x\"}},\n{\"config\":{\"systemd.credential.a\":\"x\"}}]"),
      IsEmpty());
  EXPECT_THAT(configuration("i.json",
                            "{\"config\":{\"systemd.credential.db-password\":\"hunter2\"},\n\"expanded_config\":{"
                            "\"systemd.credential.db-password\":\"hunter2\",\n\"user.token\":\"hunter2\"}}"),
              ElementsAre("1 VC114", "3 VC114"));
  EXPECT_THAT(configuration("i.yaml", "config:\n  raw.qemu: -append systemd.set_credential=a:b\n"),
              ElementsAre("2 VC046"));
  EXPECT_THAT(configuration("i.yaml",
                            "config:\n  raw.qemu.conf: |\n    [smbios]\n    type = \"11\"\n    value = "
                            "\"io.systemd.credential:db-password=hunter2\"\n"),
              ElementsAre("5 VC114"));
  EXPECT_THAT(configuration("i.yaml",
                            "config:\n  volatile.uuid: 1d3e5f70-1234-4abc-8def-0123456789ab\n  volatile.base_image: "
                            "5f7f1e4b2f0b9bb8b3e4a1c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6\n"),
              IsEmpty());
}

TEST(Configurations, OfQemu) {
  EXPECT_THAT(
      configuration("q.conf",
                    "[smbios]\ntype = \"11\"\nvalue = \"io.systemd.credential:a=1\"\n[machine]\ntype = \"microvm\"\n"),
      ElementsAre("3 VC042"));
  EXPECT_THAT(
      configuration("q.conf",
                    "[fw_cfg \"a\"]\nname = \"opt/io.systemd.credentials/db-password\"\nstring = \"hunter2\"\n"),
      ElementsAre("3 VC114"));
  EXPECT_THAT(configuration("q.conf", "[fw_cfg \"a\"]\nname = \"opt/io.systemd.credentials/a/b\"\nfile = \"/x\"\n"),
              ElementsAre("3 VC112"));
  EXPECT_THAT(configuration("q.conf", "[object \"s\"]\nqom-type = \"secret\"\ndata = \"hunter2\"\n"),
              ElementsAre("3 VC114"));
  EXPECT_THAT(
      configuration("q.conf", "[object \"s\"]\nqom-type = \"secret\"\nfile = \"/run/s\"\n[machine]\ntype = \"q35\"\n"),
      IsEmpty());
  // What fw_cfg carries takes no room in SMBIOS.
  EXPECT_THAT(lines(*check_configuration("[fw_cfg \"a\"]\nname = \"opt/io.systemd.credentials/a\"\nstring = \"" +
                                             std::string(5000, ' ') + "\"\n[smbios]\ntype = \"11\"\nvalue = \"x\"\n",
                                         "q.conf", 252)),
              IsEmpty());
}

TEST(Configurations, OfOthers) {
  EXPECT_THAT(configuration("fc.json",
                            "{\"boot-source\": {\"kernel_image_path\": \"x\",\n\"boot_args\": \"quiet "
                            "syst\\u0065md.set_credential=a:b\"}}"),
              ElementsAre("2 VC046"));
  EXPECT_THAT(configuration("ch.json",
                            "{\"payload\": {\"cmdline\": \"systemd.set_credential=a:b\"},\n\"platform\": "
                            "{\"oem_strings\": [\"io.systemd.credential:db-password=hunter2\"]}}"),
              ElementsAre("1 VC046", "2 VC114"));
  EXPECT_THAT(
      configuration(
          "mkosi.conf",
          "[Runtime]\nCredentials=motd=hello\n  db-password=hunter2\nQemuArgs=-append\n  systemd.set_credential=a:b\n"),
      ElementsAre("3 VC114", "5 VC046"));
  EXPECT_THAT(configuration("mkosi.conf", "[Content]\nKernelCommandLine=quiet\n  systemd.set_credential=a:b\n"),
              ElementsAre("3 VC046"));
  EXPECT_THAT(
      configuration("mkosi.conf",
                    "[Content]\nPassphrase=mkosi.passphrase\nKey="
                    "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B\nSecureBootKey=mkosi.key\nRootPassword=hunter2\n"),
      ElementsAre("5 VC114"));
  EXPECT_THAT(configuration("web.nspawn", "[Exec]\nEnvironment=DB_PASSWORD=hunter2\nBoot=yes\n"),
              ElementsAre("2 VC114"));
  EXPECT_THAT(configuration("x", "\xEF\xBB\xBF<domain><description>password: hunter2</description></domain>"),
              ElementsAre("1 VC050"));
  EXPECT_FALSE(check_configuration("hello: world\n", "x.yaml", 257));
}

std::vector<std::string> unit(const std::string& text, const char* name = "app.service", int systemd = 257) {
  return lines(check_units({{name, text}}, systemd));
}

TEST(Units, StartHypervisors) {
  const std::string begin = "[Service]\nExecStart=";
  EXPECT_THAT(unit(begin + "@/usr/bin/qemu-system-x86_64 vm -append \"quiet systemd.set_credential=a:b\"\n"),
              ElementsAre("2 VC046"));
  EXPECT_THAT(unit(begin + "/bin/sh -c 'exec kvm -append systemd.set_credential=a:b'\n"), ElementsAre("2 VC046"));
  EXPECT_THAT(unit(begin + "/bin/kvm -smbios type=11,value=io.systemd.credential:db-password=hunter2\n"),
              ElementsAre("2 VC034"));
  EXPECT_THAT(unit(begin + "/bin/kvm -M microvm -smbios type=11,value=io.systemd.credential:a=1\n"),
              ElementsAre("2 VC042"));
  EXPECT_THAT(unit(begin + "/bin/kvm -fw_cfg name=opt/io.systemd.credentials/a,file=%d/a\n"), IsEmpty());
  EXPECT_THAT(unit(begin + "/bin/echo systemd.set_credential=a:b\n"), IsEmpty());
}

TEST(Units, HaveCredentialsInTheirOwnSection) {
  EXPECT_THAT(unit("[Unit]\nLoadCredential=a:/run/a\n[Service]\nPrivateMounts=yes\n"), ElementsAre("2 VC035"));
  EXPECT_THAT(unit("[Service]\nloadcredential=a:/run/a\nLoadCredentials=a:/run/a\n"),
              ElementsAre("2 VC035", "3 VC035"));
  EXPECT_THAT(unit("LoadCredential=a:/run/a\n"), ElementsAre("1 VC035"));
  EXPECT_THAT(unit("[Service]\nLoadCredential=a:/run/a\n", "a.timer"), ElementsAre("2 VC035"));
  EXPECT_THAT(unit("[Service]\nLoadCredential=a:/run/a\n", "a.socket"), ElementsAre("2 VC035"));
  EXPECT_THAT(unit("[Socket]\nLoadCredential=a:/run/a\nPrivateMounts=yes\n", "a.socket"), IsEmpty());
  EXPECT_THAT(unit("[Socket]\nLoadCredential=a:/run/a\nPrivateMounts=yes\n", "socket.d/x.conf"), IsEmpty());
  EXPECT_THAT(unit("[X-Ours]\nLoadCredential=a:/run/a\n"), IsEmpty());
  EXPECT_THAT(unit("[Unit]\nAssertCredential=a\n"), IsEmpty());
}

TEST(Units, MayGiveACredentialADefault) {
  EXPECT_THAT(unit("[Service]\nPrivateMounts=yes\nLoadCredential=motd\n"), ElementsAre("3 VC030"));
  EXPECT_THAT(unit("[Service]\nPrivateMounts=yes\nLoadCredential=motd\nSetCredential=motd:hello\n"), IsEmpty());
  EXPECT_THAT(unit("[Service]\nPrivateMounts=yes\nLoadCredential=motd\nSetCredential=other:hello\n"),
              ElementsAre("3 VC030"));
}

TEST(Units, OfMountsHaveOptions) {
  EXPECT_THAT(unit("[Mount]\nWhat=//host/share\nOptions=username=u,password=hunter2\n", "mnt.mount"),
              ElementsAre("3 VC034"));
  EXPECT_THAT(unit("[Mount]\nWhat=//host/share\nOptions=credentials=/etc/smb,uid=1000\n", "mnt.mount"), IsEmpty());
}

/// The line of a finding may hold a secret that looks like none where it stands alone.
TEST(Findings, OfWhatOthersWroteShowNoValue) {
  const testing::TestFolder folder;
  const std::string text =
      "[fw_cfg \"a\"]\nname = \"opt/io.systemd.credentials/db-password\"\nstring = \"open sesame\"\n"
      "[fw_cfg \"b\"]\nname = \"opt/io.systemd.credentials/db-password\"\nstring = \"open sesame\"\n"
      "[object \"s\"]\nqom-type = \"secret\"\ndata = \"open sesame\"\n"
      "[kernel]\nappend = \"quiet 'systemd.set_credential=a:open sesame'\"\n";
  const std::string file = folder.write("q.conf", text);
  const auto findings = check_configuration(text, file, 257);
  ASSERT_THAT(findings, testing::Succeeds());
  EXPECT_THAT(lines(*findings), ElementsAre("3 VC114", "6 VC112", "6 VC114", "9 VC114", "11 VC046"));
  EXPECT_THAT(findings_text(*findings, false), Not(HasSubstr("sesame")));
  const std::string unit = "[Service]\nSetCredential=a:open \\q sesame\n";
  EXPECT_THAT(findings_text(check_units({{folder.write("x.service", unit), unit}}, 257), false),
              Not(HasSubstr("sesame")));
}

}  // namespace
}  // namespace vmcred::chain
