#include "adopt/foreign.h"
#include "adopt/written_names.h"
#include "matchers.h"

namespace vmcred::adopt {
namespace {

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

TEST(ForeignNames, KeysLoseBlanksAroundThemAndStandOnce) {
  EXPECT_EQ(normal_recipients({"age1b ", "ssh-ed25519  AAAA  me@here", " age1a", "ssh-ed25519 AAAA", "age1b"}),
            (std::vector<std::string>{"age1a", "age1b", "ssh-ed25519 AAAA"}));
  EXPECT_EQ(name_in_comment("ssh-ed25519  AAAA  root@web").name, "web");
}

TEST(ForeignNames, NumberedMachinesAreMachines) {
  EXPECT_EQ(name_of_word("system1").name, "system1");
  EXPECT_TRUE(name_of_word("system1").machine);
  EXPECT_FALSE(name_of_word("user1").machine);
}

TEST(ForeignNames, ComeFromTheTextOfSecretsNix) {
  Found found;
  for (const char* key : {"age1one", "age1two", "age1three", "age1four"}) found.names[key];
  add_written_names(
      "let\n  # old = \"age1one\";\n  alice =\n    \"age1one\";\n  db = \"age1two\"; hosts.web = \"age1three\"; /* x "
      "*/\n"
      "  systems = [ db ];\nin { \"a.age\".publicKeys = [ alice \"age1four\" ] ++ systems; }\n",
      found);
  EXPECT_EQ(found.names["age1one"].name, "alice");
  EXPECT_FALSE(found.names["age1one"].machine);
  EXPECT_EQ(found.names["age1two"].name, "db");
  EXPECT_TRUE(found.names["age1two"].machine);
  EXPECT_EQ(found.names["age1three"].name, "web");
  EXPECT_TRUE(found.names["age1three"].machine);
  EXPECT_EQ(found.names["age1four"].name, "");
}

}  // namespace
}  // namespace vmcred::adopt
