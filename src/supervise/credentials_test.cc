#include "supervise/credentials.h"

#include <sys/stat.h>

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

declare::Vm vm_with(std::vector<declare::Credential> credentials) {
  declare::Vm vm;
  vm.name = "test-vm";
  vm.credentials = std::move(credentials);
  return vm;
}

declare::Credential from_var(const std::string& name) {
  return {.name = name, .host = "host-" + name, .guest = name, .from = declare::VarRef{"g", name}};
}

TEST(ReadCredentials, ReadsEverySecretAndNoStaticValue) {
  const TestFolder folder;
  (void)folder.write("host-a", std::string_view("one\n\0two", 8));
  declare::Credential fixed;
  fixed.static_value = "test";
  const auto secrets = read_credentials(vm_with({from_var("a"), fixed}), folder.path());
  ASSERT_THAT(secrets, Succeeds());
  ASSERT_EQ(secrets->size(), 1U);
  EXPECT_EQ(secrets->at("host-a").text(), std::string_view("one\n\0two", 8));
}

TEST(ReadCredentials, NamesAllThatAreMissing) {
  const TestFolder folder;
  (void)folder.write("host-a", "x");
  const auto secrets = read_credentials(vm_with({from_var("a"), from_var("b"), from_var("c")}), folder.path());
  EXPECT_THAT(secrets, FailsWith(Errc::not_found, HasSubstr("vm 'test-vm' lacks the credentials 'host-b', 'host-c'")));
  EXPECT_THAT(secrets.error().hint, HasSubstr("LoadCredential="));
}

TEST(ReadCredentials, RefusesAnEmptyOneUnlessItMayBe) {
  const TestFolder folder;
  (void)folder.write("host-a", "");
  declare::Credential credential = from_var("a");
  EXPECT_THAT(read_credentials(vm_with({credential}), folder.path()),
              FailsWith(Errc::invalid_data, HasSubstr("empty credential 'host-a'")));
  credential.allow_empty = true;
  EXPECT_THAT(read_credentials(vm_with({credential}), folder.path()), Succeeds());
}

TEST(ReadCredentials, DoesNotFollowALinkOutOfTheFolder) {
  const TestFolder folder;
  const std::string outside = folder.write("outside", "x");
  const std::string inside = folder.write("credentials/other", "y");
  ASSERT_EQ(::symlink(outside.c_str(), (folder / "credentials/host-a").c_str()), 0);
  EXPECT_FALSE(read_credentials(vm_with({from_var("a")}), folder / "credentials").has_value());
}

TEST(ReadCredentials, RefusesWhatOthersCouldChangeAndWhatIsNoFile) {
  const TestFolder folder;
  const std::string file = folder.write("host-a", "x");
  ASSERT_EQ(::chmod(file.c_str(), 0620), 0);
  EXPECT_THAT(read_credentials(vm_with({from_var("a")}), folder.path()),
              FailsWith(Errc::denied, HasSubstr("the credential 'host-a' can be written by others (mode 620)")));
  ASSERT_EQ(::unlink(file.c_str()), 0);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_THAT(read_credentials(vm_with({from_var("a")}), folder.path()),
              FailsWith(Errc::invalid_data, HasSubstr("the credential 'host-a' is not a regular file")));
  ASSERT_EQ(::chmod(folder.path().c_str(), 0707), 0);
  EXPECT_THAT(read_credentials(vm_with({from_var("a")}), folder.path()),
              FailsWith(Errc::denied, HasSubstr("of the unit's credentials can be written by others (mode 707)")));
}

TEST(DecryptCredentials, AsksOnceForAHostNameThatIsUsedTwice) {
  int asked = 0;
  declare::Credential again = from_var("a");
  again.guest = "again";
  const auto secrets =
      decrypt_credentials(vm_with({from_var("a"), again}), [&](const declare::Credential&) -> Result<Secret> {
        ++asked;
        return testing::secret("v");
      });
  EXPECT_THAT(secrets, Succeeds());
  EXPECT_EQ(asked, 1);
}

TEST(DecryptCredentials, PassesAWrongKeyOn) {
  EXPECT_THAT(
      decrypt_credentials(vm_with({from_var("a")}),
                          [](const declare::Credential&) -> Result<Secret> { return fail(Errc::denied, "no key"); }),
      FailsWith(Errc::denied, HasSubstr("no key")));
}

}  // namespace
}  // namespace vmcred::supervise
