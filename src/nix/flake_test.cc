#include "nix/flake.h"

#include "base/file.h"
#include "base/process.h"
#include "matchers.h"
#include "nix/evaluate.h"

namespace vmcred::nix {
namespace {

using testing::FailsWith;
using testing::Succeeds;
using testing::TestFolder;

TEST(Flake, CountsAsPinnedWithALockOrWithoutInputs) {
  const TestFolder folder;
  EXPECT_FALSE(flake_digest(folder.path()));
  folder.write("flake.nix", "{ inputs.x.url = \"y\"; }");
  EXPECT_FALSE(flake_digest(folder.path()));
  folder.write("flake.lock", "{}");
  EXPECT_TRUE(flake_digest(folder.path()));
  folder.write("part/flake.nix", "{ outputs = _: { }; }");
  EXPECT_TRUE(flake_digest(folder / "part"));
  folder.write(".git/HEAD", "");
  EXPECT_TRUE(flake_digest(folder.path()));
  EXPECT_FALSE(flake_digest(folder / "part"));  // nix would take all of the repository
}

TEST(Flake, ChangesWithEveryFileButNotWithASecretsBytes) {
  const TestFolder folder;
  folder.write("flake.nix", "{ outputs = _: { }; }");
  folder.write("vars/per-machine/m/g/f/secret", "1");
  const auto first = flake_digest(folder.path());
  folder.write("vars/per-machine/m/g/f/secret", "2");
  EXPECT_EQ(flake_digest(folder.path()), first);
  folder.write("vars/per-machine/m/g/p/value", "1");
  const auto second = flake_digest(folder.path());
  EXPECT_NE(second, first);
  folder.write("vars/per-machine/m/g/p/value", "2");
  EXPECT_NE(flake_digest(folder.path()), second);
}

TEST(Flake, OnlyFoldersOfThisDiskAreKnown) {
  const TestFolder folder;
  EXPECT_EQ(folder_of_flake("github:a/b#web"), "");
  EXPECT_EQ(folder_of_flake(folder.path() + "#web"), folder.path());
}

TEST(Flake, IsEvaluatedOnceWhileNothingChanges) {
  const TestFolder folder;
  folder.write("infra/flake.nix", R"({ outputs = _: { nixosConfigurations.web.config = {
    clan.core.vars.generators.g = {
      share = false; dependencies = [ ]; runtimeInputs = [ ]; prompts = { }; script = "";
      files.a = { secret = true; deploy = true; owner = "root"; group = "root"; mode = "0400"; path = "/run/secrets/vars/per-machine/web/g/a"; };
    };
    microvm.vms.v = { evaluatedConfig = null; flake = null; config.config.microvm.credentialFiles.host-a = { }; };
    systemd.services."microvm@v".serviceConfig.LoadCredential = [ "host-a:/run/secrets/vars/per-machine/web/g/a" ];
  }; }; })");
  // A store of its own: that of the machine is not to be written, and may not be there.
  Settings settings{.search_path = std::string(kSystemPath),
                    .environment = {"HOME=" + folder.path(), "NIX_STORE_DIR=" + (folder / "store"),
                                    "NIX_STATE_DIR=" + (folder / "state"), "NIX_LOG_DIR=" + (folder / "log")},
                    .cache_folder = folder / "cache"};
  const std::string reference = (folder / "infra") + "#web";
  const auto first = evaluate_flake(reference, settings);
  ASSERT_THAT(first, Succeeds());
  EXPECT_FALSE(first->cached);
  EXPECT_EQ(first->declaration.find("vms")->find("v")->find("credential-files")->if_array()->size(), 1U);
  settings.search_path = "/nowhere";
  const auto second = evaluate_flake(reference, settings);
  ASSERT_THAT(second, Succeeds());
  EXPECT_TRUE(second->cached);
  EXPECT_EQ(dump_json(second->declaration), dump_json(first->declaration));
  folder.write("infra/more.nix", "{ }");
  EXPECT_THAT(evaluate_flake(reference, settings),
              FailsWith(Errc::unavailable, ::testing::HasSubstr("there is no nix on this machine")));
}

}  // namespace
}  // namespace vmcred::nix
