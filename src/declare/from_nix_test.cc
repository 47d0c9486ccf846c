#include "declare/from_nix.h"

#include "base/process.h"
#include "declare/load.h"
#include "matchers.h"

namespace vmcred::declare {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

const std::string kGuide = testing::source_folder() + "/tests/nix/guide";

nix::Settings settings() {
  return {.search_path = std::string(kSystemPath), .environment = {"HOME=/var/empty"}, .only_machine = "this-host"};
}

TEST(FromNix, GivesTheSameModelAsTheGuidesTomlInTheLongForm) {
  const auto nix = load(kGuide, settings());
  const auto toml = load(testing::source_folder() + "/examples/long-form", {});
  ASSERT_THAT(nix, Succeeds());
  ASSERT_THAT(toml, Succeeds());
  const Vm& a = nix->vms.at("test-vm");
  const Vm& b = toml->vms.at("test-vm");
  ASSERT_EQ(a.credentials.size(), b.credentials.size());
  for (std::size_t i = 0; i < a.credentials.size(); ++i) {
    EXPECT_EQ(a.credentials[i].host, b.credentials[i].host);
    EXPECT_EQ(a.credentials[i].guest, b.credentials[i].guest);
    EXPECT_EQ(a.credentials[i].from, b.credentials[i].from);
    EXPECT_EQ(a.credentials[i].static_value, b.credentials[i].static_value);
    EXPECT_EQ(a.credentials[i].services, b.credentials[i].services);
  }
  EXPECT_TRUE(a.long_form.used);
  EXPECT_EQ(nix->generators.at("test-vm-secrets").runtime_inputs, (std::vector<std::string>{"coreutils", "openssl"}));
  EXPECT_EQ(nix->machines.begin()->first, "britton-desktop");
}

TEST(FromNix, KeepsThePlacesOfTheFile) {
  const auto nix = load(kGuide, settings());
  ASSERT_THAT(nix, Succeeds());
  EXPECT_EQ(nix->generators.at("test-vm-secrets").place.line, 6);
  EXPECT_EQ(nix->vms.at("test-vm").long_form.credential_files_places.at(0).line, 48);
}

TEST(FromNix, SpeaksOfTheLineOfTheMistake) {
  const TestFolder folder;
  folder.write("host.nix", "{\n  microvm.vms.v.config.microvm = {\n    credentialFiles.host-x = { };\n  };\n}\n");
  const auto declaration = load(folder.path(), settings());
  ASSERT_THAT(declaration,
              FailsWith(Errc::invalid_data,
                        HasSubstr("host.nix:3:5: vm 'v': credential-files: 'host-x' is not in load-credential")));
}

TEST(FromNix, LaysTomlOverTheFileThatItNames) {
  const TestFolder folder;
  folder.write(
      "host.nix",
      "{ networking.hostName = \"a\"; vmcred.vms.v = { memory = \"1G\"; vcpus = 3; credentials.c.value = \"d\"; }; }");
  folder.write("vmcred.toml", "declaration = \"host.nix\"\n[vms.v]\nmemory = \"2G\"\nkernel = \"k\"\n");
  const auto declaration = load(folder.path(), settings());
  ASSERT_THAT(declaration, Succeeds());
  const Vm& vm = declaration->vms.at("v");
  EXPECT_EQ(vm.memory_bytes, 2ULL << 30);
  EXPECT_EQ(vm.vcpus, 3U);
  EXPECT_EQ(vm.kernel, folder / "k");
  EXPECT_EQ(vm.credentials.size(), 1U);
}

TEST(FromNix, NamesThePlaceInEitherFile) {
  const TestFolder folder;
  folder.write("host.nix", "{\n  vmcred.vms.v.vcpus = 0;\n}\n");
  folder.write("vmcred.toml", "declaration = \"host.nix\"\n[machines.m]\n[vms.v]\ncolor = 1\n");
  const auto reading = load_leniently(folder.path(), settings());
  ASSERT_THAT(reading, Succeeds());
  ASSERT_EQ(reading->problems.size(), 2U);
  EXPECT_THAT(where(reading->problems[0].place), HasSubstr("host.nix:2:3"));
  EXPECT_THAT(where(reading->problems[1].place), HasSubstr("vmcred.toml:4:1"));
  EXPECT_EQ(reading->declaration.vms.at("v").machine, "m");
}

TEST(FromNix, RefusesAnIndirectionThatLeadsNowhere) {
  const TestFolder folder;
  folder.write("vmcred.toml", "declaration = \"other.nix\"\n");
  EXPECT_THAT(load(folder.path(), settings()),
              FailsWith(Errc::not_found, HasSubstr("vmcred.toml:1:1: there is no 'other.nix'")));
  folder.write("vmcred.toml", "declaration = 3\n");
  EXPECT_THAT(load(folder.path(), settings()), FailsWith(Errc::invalid_data, HasSubstr("must name a .nix file")));
}

}  // namespace
}  // namespace vmcred::declare
