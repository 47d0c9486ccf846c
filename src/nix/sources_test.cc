#include "nix/sources.h"

#include "matchers.h"

namespace vmcred::nix {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using testing::Succeeds;
using testing::TestFolder;

TEST(NixWords, FindsIdentifiersAndPaths) {
  const Words words = words_of("{ pkgs, ... }: with pkgs; [ jq python3 ./a.nix ../b/c x.y ]");
  EXPECT_THAT(words.identifiers, Contains("python3"));
  EXPECT_THAT(words.identifiers, Contains("pkgs"));
  EXPECT_THAT(words.identifiers, Contains("y"));
  EXPECT_THAT(words.identifiers, Not(Contains("with")));
  EXPECT_THAT(words.paths, ElementsAre("./a.nix", "../b/c"));
  EXPECT_EQ(words.impure, "");
}

TEST(NixWords, KeepsDashesAndQuotesInNames) {
  EXPECT_THAT(words_of("age-plugin-yubikey a' 9x").identifiers, ElementsAre("a'", "age-plugin-yubikey", "x"));
}

TEST(NixWords, TellsWhatDependsOnMoreThanFiles) {
  EXPECT_EQ(words_of("import <nixpkgs/lib>").impure, "nixpkgs/lib");
  EXPECT_EQ(words_of("a = builtins.currentTime;").impure, "currentTime");
  EXPECT_EQ(words_of("a < b > c").impure, "");
}

TEST(NixSources, FollowsLiteralPathsAndNothingElse) {
  const TestFolder folder;
  const std::string main = folder.write("p/host.nix", "{ imports = [ ./a.nix ../outside.nix ]; }");
  folder.write("p/a.nix", "import ./sub");
  folder.write("p/sub/default.nix", "{ }");
  folder.write("p/sub/unread.nix", "{ }");
  folder.write("p/unrelated.nix", "{ }");
  folder.write("outside.nix", "{ }");
  const auto sources = scan_sources(main);
  ASSERT_THAT(sources, Succeeds());
  EXPECT_THAT(sources->nix_files, ElementsAre(folder / "outside.nix", folder / "p/a.nix", folder / "p/host.nix",
                                              folder / "p/sub/default.nix", folder / "p/sub/unread.nix"));
}

TEST(NixSources, ChangesWithEveryFileThatIsNamed) {
  const TestFolder folder;
  const std::string main = folder.write("host.nix", "{ x = ./data; y = ./later.nix; }");
  folder.write("data/one", "1");
  const auto before = scan_sources(main);
  folder.write("data/one", "2");
  const auto after = scan_sources(main);
  folder.write("later.nix", "{ }");
  const auto later = scan_sources(main);
  ASSERT_TRUE(before && after && later);
  EXPECT_NE(before->digest, after->digest);
  EXPECT_NE(after->digest, later->digest);
}

TEST(NixSources, LeavesTheStoreOut) {
  const TestFolder folder;
  const std::string main = folder.write("host.nix", "{ x = ./.; }");
  const auto before = scan_sources(main);
  folder.write("vars/per-machine/a/g/f/secret", "x");
  const auto after = scan_sources(main);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->digest, after->digest);
}

TEST(NixSources, EndsOnFilesThatImportEachOther) {
  const TestFolder folder;
  const std::string main = folder.write("host.nix", "import ./other.nix");
  folder.write("other.nix", "import ./host.nix");
  EXPECT_THAT(scan_sources(main), Succeeds());
}

}  // namespace
}  // namespace vmcred::nix
