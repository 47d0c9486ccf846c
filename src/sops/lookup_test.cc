#include "sops/lookup.h"

#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"
#include "sops/sops.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> names(const Lookup& lookup) {
  std::vector<std::string> all;
  for (const Source& source : lookup.sources) all.push_back(source.name);
  return all;
}

TEST(Lookup, MergesAllPlacesInOrder) {
  const TestFolder home;
  const std::string key = fmt::format("# mine\n{}\n", kIdentity);
  const std::string usual = home.write(".config/sops/age/keys.txt", key);
  const std::string named = home.write("named.txt", key);
  const Lookup found = find_identities({{"HOME", home.path()},
                                        {"SOPS_AGE_KEY", fmt::format("{}  {} # two", kIdentity, kIdentity)},
                                        {"SOPS_AGE_KEY_FILE", named},
                                        {"SOPS_AGE_KEY_CMD", fmt::format("/bin/cat '{}'", named)}});
  EXPECT_THAT(names(found), ElementsAre("SOPS_AGE_KEY", fmt::format("'{}' (SOPS_AGE_KEY_FILE)", named),
                                        "SOPS_AGE_KEY_CMD", fmt::format("'{}'", usual)));
  EXPECT_THAT(found.identities(), SizeIs(5));
  EXPECT_THAT(found.problems, IsEmpty());
}

TEST(Lookup, FollowsXdgConfigHome) {
  const TestFolder folder;
  folder.write("sops/age/keys.txt", kIdentity);
  EXPECT_THAT(find_identities({{"HOME", "/nonexistent"}, {"XDG_CONFIG_HOME", folder.path()}}).identities(), SizeIs(1));
  EXPECT_THAT(find_identities({}).identities(), IsEmpty());
}

TEST(Lookup, RemembersWhatWentWrongWithoutStopping) {
  const Lookup found = find_identities({{"SOPS_AGE_KEY", std::string(kIdentity)},
                                        {"SOPS_AGE_KEY_FILE", "/nonexistent/keys.txt"},
                                        {"SOPS_AGE_SSH_PRIVATE_KEY_CMD", "/bin/false"},
                                        {"SOPS_AGE_KEY_CMD", "'unfinished"}});
  EXPECT_THAT(found.identities(), SizeIs(1));
  ASSERT_THAT(found.problems, SizeIs(3));
  EXPECT_THAT(found.problems[0].message,
              HasSubstr("SOPS_AGE_SSH_PRIVATE_KEY_CMD: the key command '/bin/false' ended with exit code 1"));
  EXPECT_THAT(found.problems[1].message, HasSubstr("SOPS_AGE_KEY_FILE"));
  EXPECT_THAT(found.problems[2].message, HasSubstr("does not end"));
}

TEST(Lookup, TakesSshKeysFromHome) {
  const TestFolder home;
  home.write(".ssh/config", "");
  const std::string keygen = program("ssh-keygen");
  ASSERT_NE(keygen, "") << kRunSetup;
  ASSERT_TRUE(run({.argv = {keygen, "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh/id_ed25519"}})->status.ok());
  const Lookup found = find_identities({{"HOME", home.path()}});
  ASSERT_THAT(found.sources, SizeIs(1));
  const auto to = age::parse_recipient(*read_file(home / ".ssh/id_ed25519.pub", 1000));
  const auto file = encrypt(bytes_of("hunter2"), {&*to, 1});
  ASSERT_THAT(file, Succeeds());
  EXPECT_EQ(decrypt(*parse(print(*file)), found.identities())->text(), "hunter2");
}

TEST(SplitCommand, FollowsTheShellsQuoting) {
  EXPECT_THAT(*split_command(R"(one 'two  three' "fo\"ur" fi\ ve '' a"b"'c')"),
              ElementsAre("one", "two  three", "fo\"ur", "fi ve", "", "abc"));
  EXPECT_THAT(*split_command("  "), IsEmpty());
  EXPECT_THAT(split_command("x\\"), FailsWith(Errc::invalid_data, HasSubstr("backslash")));
}

}  // namespace
}  // namespace vmcred::sops
