#include "declare/load.h"

#include "matchers.h"

namespace vmcred::declare {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

std::string example(const std::string& name) { return testing::source_folder() + "/examples/" + name; }

TEST(Load, ReadsTheGuidesExampleInTheShortForm) {
  const auto declaration = load(example("test-vm"));
  ASSERT_THAT(declaration, Succeeds());
  const Vm& vm = declaration->vms.at("test-vm");
  ASSERT_EQ(vm.credentials.size(), 5U);
  EXPECT_EQ(vm.credentials[0].guest, "API_KEY");
  EXPECT_EQ(vm.credentials[0].host, "host-api-key");
  EXPECT_EQ(std::get<VarRef>(vm.credentials[0].from), (VarRef{"test-vm-secrets", "api-key"}));
  EXPECT_EQ(vm.credentials[3].static_value, "test");
  EXPECT_EQ(vm.services.at("demo-oem-credentials").load_credential.front(),
            std::pair(std::string("api-key"), std::string("API_KEY")));
  EXPECT_EQ(vm.kernel, example("test-vm") + "/guest/vmlinuz");
  EXPECT_EQ(declaration->generators.at("test-vm-secrets").machines, std::vector<std::string>{"britton-desktop"});
}

TEST(Load, GivesTheSameCredentialsForTheLongForm) {
  const auto lists = load(example("long-form"));
  const auto brief = load(example("test-vm"));
  ASSERT_THAT(lists, Succeeds());
  ASSERT_THAT(brief, Succeeds());
  const Vm& a = lists->vms.at("test-vm");
  const Vm& b = brief->vms.at("test-vm");
  ASSERT_EQ(a.credentials.size(), b.credentials.size());
  for (std::size_t i = 0; i < a.credentials.size(); ++i) {
    EXPECT_EQ(a.credentials[i].name, b.credentials[i].name);
    EXPECT_EQ(a.credentials[i].host, b.credentials[i].host);
    EXPECT_EQ(a.credentials[i].guest, b.credentials[i].guest);
    EXPECT_EQ(a.credentials[i].from, b.credentials[i].from);
    EXPECT_EQ(a.credentials[i].static_value, b.credentials[i].static_value);
    EXPECT_EQ(a.credentials[i].services, b.credentials[i].services);
  }
}

TEST(Load, ReadsTheMinimalExample) {
  const auto declaration = load(example("minimal"));
  ASSERT_THAT(declaration, Succeeds());
  EXPECT_EQ(declaration->vms.at("my-vm").credentials.at(0).guest, "SECRET_KEY");
  EXPECT_EQ(declaration->vms.at("my-vm").machine, "my-host");
}

TEST(Load, TakesAnEmptyDeclaration) {
  EXPECT_THAT(parse_toml("", "vmcred.toml"), Succeeds());
  EXPECT_THAT(parse_json_declaration(R"({"machines": {}, "generators": {}, "vms": {}})", "vmcred.json"), Succeeds());
}

TEST(Load, TakesAnyTextInStringsAndComments) {
  const auto declaration = parse_toml(
      "\xef\xbb\xbf# ü ' \" \n[machines.h] # ü\n[generators.g]\nscript = \"\"\"a \\\" ü \"\"\"\"\"\nprompts.a = { "
      "description = 'ü \\' }\n"
      "prompts.b = { description = \"ü \\\"\" }\nprompts.\"ü\" = { description = \'\'\'ü\n\'ü\'\'\'\'\' }\n",
      "vmcred.toml");
  ASSERT_THAT(declaration, Succeeds());
  const Generator& generator = declaration->generators.at("g");
  EXPECT_EQ(generator.script, "a \" ü \"\"");
  EXPECT_EQ(generator.prompts.at("a").description, "ü \\");
  EXPECT_EQ(generator.prompts.at("b").description, "ü \"");
  EXPECT_EQ(generator.prompts.at("ü").description, "ü\n'ü''");
}

TEST(Load, NeedsAMachineForAVm) {
  EXPECT_THAT(parse_toml("[vms.web]\n", "vmcred.toml"),
              FailsWith(Errc::invalid_data, HasSubstr("no machine is declared")));
  EXPECT_THAT(parse_toml("[generators.g]\nfiles.f = {}\n", "vmcred.toml"),
              FailsWith(Errc::invalid_data, HasSubstr("no machine is declared")));
  EXPECT_THAT(parse_toml("[generators.g]\nshare = true\nfiles.f = { deploy = false }\n", "vmcred.toml"), Succeeds());
}

TEST(Load, NamesTheRemedyWhereThereIsNoDeclaration) {
  const testing::TestFolder folder;
  const auto declaration = load(folder.path());
  ASSERT_THAT(declaration, FailsWith(Errc::not_found, HasSubstr("no declaration in")));
  EXPECT_THAT(declaration.error().hint, HasSubstr("vmcred init"));
}

}  // namespace
}  // namespace vmcred::declare
