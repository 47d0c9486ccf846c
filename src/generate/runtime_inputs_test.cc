#include "generate/runtime_inputs.h"

#include <sys/stat.h>

#include "matchers.h"

namespace vmcred::generate {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::TestFolder;

TEST(RuntimeInputs, AlwaysGivesCoreutilsAndBashAndNothingElse) {
  const auto toolbox = find_runtime_inputs({});
  ASSERT_THAT(toolbox, testing::Succeeds());
  EXPECT_TRUE(toolbox->commands.contains("tr"));
  EXPECT_TRUE(toolbox->commands.contains("bash"));
  EXPECT_FALSE(toolbox->commands.contains("grep"));
}

TEST(RuntimeInputs, TakesAnInstalledCommand) {
  const auto toolbox = find_runtime_inputs({"openssl"});
  ASSERT_THAT(toolbox, testing::Succeeds());
  EXPECT_EQ(toolbox->commands.at("openssl"), "/usr/bin/openssl");
}

TEST(RuntimeInputs, TakesTheCommandsOfAPackage) {
  const TestFolder root;
  root.write("var/lib/dpkg/info/some-tools.list",
             "/.\n/usr\n/usr/bin\n/usr/bin/env\n/usr/share/doc/x\n/usr/bin/absent\n");
  const auto toolbox = find_runtime_inputs({"some-tools"}, root.path());
  ASSERT_THAT(toolbox, testing::Succeeds());
  EXPECT_EQ(toolbox->commands.at("env"), "/usr/bin/env");
  EXPECT_FALSE(toolbox->commands.contains("absent"));
}

TEST(RuntimeInputs, TakesTheBinFolderOfAnAbsolutePath) {
  const TestFolder root;
  ::chmod(root.write("tool/bin/greet", "#!/bin/sh\n").c_str(), 0755);
  const auto toolbox = find_runtime_inputs({root / "tool"});
  ASSERT_THAT(toolbox, testing::Succeeds());
  EXPECT_EQ(toolbox->commands.at("greet"), root / "tool/bin/greet");
  EXPECT_THAT(toolbox->read_only, ::testing::ElementsAre(root / "tool"));
}

TEST(RuntimeInputs, NamesAllThatAreUnknown) {
  EXPECT_THAT(find_runtime_inputs({"no-such-a", "openssl", "no-such-b"}),
              FailsWith(Errc::not_found, HasSubstr("'no-such-a', 'no-such-b'")));
}

TEST(RuntimeInputs, SaysHowToGetWhatTheNixStoreLacks) {
  const auto toolbox = find_runtime_inputs({"no-such-a", "/nix/store/x-no-such"});
  ASSERT_THAT(toolbox,
              FailsWith(Errc::not_found, HasSubstr("'/nix/store/x-no-such' is not in this machine's Nix store")));
  EXPECT_EQ(toolbox.error().hint, "fetch it: nix-store --realise /nix/store/x-no-such");
}

}  // namespace
}  // namespace vmcred::generate
