#include "declare/names.h"

#include "matchers.h"

namespace vmcred::declare {
namespace {

TEST(Names, FollowTheGuidesTable) {
  EXPECT_EQ(host_name_of("api-key"), "host-api-key");
  EXPECT_EQ(guest_name_of("host-api-key"), "API_KEY");
  EXPECT_EQ(guest_name_of("api-key"), "API_KEY");
  EXPECT_EQ(short_name_of("host-api-key"), "api-key");
  EXPECT_EQ(short_name_of_guest("CLUSTER_NAME"), "cluster-name");
}

TEST(Names, StripOnePrefixOnly) { EXPECT_EQ(guest_name_of("host-host-x"), "HOST_X"); }

TEST(Names, AreWhatSystemdTakes) {
  EXPECT_TRUE(valid_credential_name("ssh.authorized_keys.root"));
  EXPECT_TRUE(valid_credential_name(" a b"));
  EXPECT_TRUE(valid_credential_name(std::string(255, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a:b"), std::string("a\n"),
        std::string("\xc3\xa4"), std::string(256, 'a'), std::string("a\x7f")})
    EXPECT_FALSE(valid_credential_name(bad)) << bad;
}

TEST(Names, InTheGuestHoldNoEqualsSign) {
  EXPECT_TRUE(valid_credential_name("a=b"));
  EXPECT_FALSE(valid_guest_name("a=b"));
}

TEST(Names, OfVmcredAndTheHypervisorAreReserved) {
  EXPECT_TRUE(reserved_credential_name("vmm.notify_socket"));
  EXPECT_TRUE(reserved_credential_name("vmcred.link"));
  EXPECT_FALSE(reserved_credential_name("vmcred"));
}

TEST(Names, OfVmsAreLabels) {
  for (const char* good : {"a", "0", "test-vm", "a--b"}) EXPECT_TRUE(valid_vm_name(good)) << good;
  EXPECT_TRUE(valid_vm_name(std::string(63, 'a')));
  for (const char* bad : {"", "-a", "a-", "A", "a.b", "a/b", "a_b"}) EXPECT_FALSE(valid_vm_name(bad)) << bad;
  EXPECT_FALSE(valid_vm_name(std::string(64, 'a')));
}

TEST(Names, OfVarsAreFileNamesThatDoNotCollideWithOurs) {
  for (const char* good : {"api-key", "secret", "value", "über", "a b"}) EXPECT_TRUE(valid_var_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "a\tb", ".validation-hash", ".vmcred.json"})
    EXPECT_FALSE(valid_var_name(bad)) << bad;
}

}  // namespace
}  // namespace vmcred::declare
