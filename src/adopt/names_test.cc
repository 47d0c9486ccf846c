#include "adopt/adopt.h"
#include "matchers.h"

namespace vmcred::adopt {
namespace {

using testing::HasSubstr;

TEST(ForeignNames, BecomeNamesOfFilesAndUsers) {
  EXPECT_EQ(tamed("Smtp/Password"), "smtp-password");
  EXPECT_EQ(tamed("--a__b.. "), "a-b");
  EXPECT_EQ(tamed("///"), "");
}

TEST(ForeignNames, ComeFromCommentsOfKeys) {
  EXPECT_EQ(name_in_comment("ssh-ed25519 AAAA alice@laptop").name, "alice");
  EXPECT_FALSE(name_in_comment("ssh-ed25519 AAAA alice@laptop").machine);
  EXPECT_EQ(name_in_comment("ssh-ed25519 AAAA root@web.example.org").name, "web");
  EXPECT_TRUE(name_in_comment("ssh-ed25519 AAAA root@web").machine);
  EXPECT_EQ(name_in_comment("ssh-ed25519 AAAA").name, "");
  EXPECT_EQ(name_in_comment("age1abc").name, "");
}

TEST(ForeignNames, ComeFromTheWordsOfSopsYaml) {
  EXPECT_EQ(name_of_word("server_web").name, "web");
  EXPECT_TRUE(name_of_word("server_web").machine);
  EXPECT_EQ(name_of_word("admin_alice").name, "alice");
  EXPECT_FALSE(name_of_word("admin_alice").machine);
  EXPECT_EQ(name_of_word("bob").name, "bob");
}

TEST(ForeignNames, KeysLoseTheirComments) {
  EXPECT_EQ(without_comment("ssh-ed25519 AAAA root@web"), "ssh-ed25519 AAAA");
  EXPECT_EQ(without_comment("ssh-ed25519 AAAA"), "ssh-ed25519 AAAA");
  EXPECT_EQ(without_comment("age1abc"), "age1abc");
}

TEST(AdoptedDeclaration, IsTomlOrNix) {
  const Adoption adoption{.generators = {{.generator = "wifi", .machines = {"web"}, .files = {"wifi"}},
                                         {.generator = "mail", .shared = true, .machines = {"db", "web"}, .files = {"a", "b"}}},
                          .machines = {"web"}};
  EXPECT_EQ(declaration_text(adoption, Language::toml),
            "[machines.web]\n\n[generators.wifi]\nmachines = [\"web\"]\nfiles.wifi = {}\n\n"
            "[generators.mail]\nshare = true\nmachines = [\"db\", \"web\"]\nfiles.a = {}\nfiles.b = {}\n\n");
  EXPECT_THAT(declaration_text(adoption, Language::nix), HasSubstr("clan.core.vars.generators.\"mail\" = {\n  share = true;\n  files.\"a\" = { };\n"));
}

}  // namespace
}  // namespace vmcred::adopt
