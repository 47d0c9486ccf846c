#include "store/inferred.h"

#include <unistd.h>

#include "base/file.h"
#include "matchers.h"
#include "store/layout.h"

namespace vmcred::store {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

TEST(InferredDeclaration, KnowsMachinesGeneratorsAndFiles) {
  const TestFolder folder;
  folder.write("sops/machines/web/key.json", R"([{"publickey":"age1x","type":"age"}])");
  folder.write("sops/machines/db/key.json", R"([{"publickey":"age1y","type":"age"}])");
  folder.write("vars/per-machine/web/ssh/id/secret", "{}");
  folder.write("vars/per-machine/web/ssh/id.pub/value", "ssh-ed25519 A");
  folder.write("vars/shared/ca/key/secret", "{}");
  ASSERT_THAT(make_folders(folder / "vars/shared/ca/key/machines"), Succeeds());
  ASSERT_EQ(::symlink("../../../../../sops/machines/db", (folder / "vars/shared/ca/key/machines/db").c_str()), 0);
  EXPECT_TRUE(holds_store(folder.path()));
  const auto declaration = inferred_declaration(folder.path());
  ASSERT_THAT(declaration, Succeeds());
  EXPECT_EQ(declaration->machines.size(), 2U);
  const declare::Generator& ssh = declaration->generators.at("ssh");
  EXPECT_EQ(ssh.sharing, declare::Sharing::per_machine);
  EXPECT_THAT(ssh.machines, ElementsAre("web"));
  EXPECT_TRUE(ssh.files.at("id").secret);
  EXPECT_FALSE(ssh.files.at("id.pub").secret);
  EXPECT_TRUE(ssh.foreign);
  const declare::Generator& ca = declaration->generators.at("ca");
  EXPECT_EQ(ca.sharing, declare::Sharing::shared);
  EXPECT_THAT(ca.machines, ElementsAre("db"));
}

TEST(InferredDeclaration, ASecretThatNoMachineReadsIsNotDeployed) {
  const TestFolder folder;
  folder.write("sops/machines/web/key.json", R"([{"publickey":"age1x","type":"age"}])");
  folder.write("vars/per-machine/web/ca/key/secret", "{}");
  folder.write("vars/per-machine/web/ca/leaf/secret", "{}");
  folder.write("vars/per-machine/web/ca/cert/value", "public");
  ASSERT_THAT(make_folders(folder / "vars/per-machine/web/ca/leaf/machines"), Succeeds());
  ASSERT_EQ(
      ::symlink("../../../../../../sops/machines/web", (folder / "vars/per-machine/web/ca/leaf/machines/web").c_str()),
      0);
  const auto declaration = inferred_declaration(folder.path());
  ASSERT_THAT(declaration, Succeeds());
  const declare::Generator& ca = declaration->generators.at("ca");
  EXPECT_FALSE(ca.files.at("key").deploy);
  EXPECT_TRUE(ca.files.at("leaf").deploy);
  EXPECT_TRUE(ca.files.at("cert").deploy);
}

TEST(InferredDeclaration, AFileThatIsOpenForOneOwnerDoesNotDeployTheSecretOfAnother) {
  const TestFolder folder;
  for (const char* machine : {"db", "web"})
    folder.write(fmt::format("sops/machines/{}/key.json", machine), R"([{"publickey":"age1x","type":"age"}])");
  folder.write("vars/per-machine/db/ca/key/value", "open");
  folder.write("vars/per-machine/web/ca/key/secret", "{}");
  const auto declaration = inferred_declaration(folder.path());
  ASSERT_THAT(declaration, Succeeds());
  EXPECT_FALSE(declaration->generators.at("ca").files.at("key").secret);
  EXPECT_TRUE(declaration->generators.at("per-machine/web/ca").files.at("key").secret);
  EXPECT_FALSE(declaration->generators.at("per-machine/web/ca").files.at("key").deploy);
}

TEST(InferredDeclaration, OwnersAndFilesAreNotUnited) {
  const TestFolder folder;
  const auto give = [&](const std::string& secret, const char* machine, const char* up) {
    folder.write(secret + "/secret", "{}");
    if (*machine == 0) return;
    ASSERT_THAT(make_folders(folder / (secret + "/machines")), Succeeds());
    ASSERT_EQ(::symlink(fmt::format("{}sops/machines/{}", up, machine).c_str(),
                        (folder / (secret + "/machines/" + machine)).c_str()),
              0);
  };
  for (const char* machine : {"db", "web"})
    folder.write(fmt::format("sops/machines/{}/key.json", machine), R"([{"publickey":"age1x","type":"age"}])");
  // An old link of one machine; a file that only one of them has; a shared secret that one of two reads.
  give("vars/per-machine/db/root/password", "db", "../../../../../../");
  give("vars/per-machine/web/root/password", "", "");
  give("vars/per-machine/web/root/extra", "", "");
  give("vars/shared/ca/key", "web", "../../../../../");
  give("vars/shared/ca/withheld", "", "");
  const auto declaration = inferred_declaration(folder.path());
  ASSERT_THAT(declaration, Succeeds());
  EXPECT_TRUE(is_inferred(*declaration));
  std::vector<std::string> values;
  for (const Wanted& each : wanted(*declaration)) {
    std::string machines;
    for (const std::string& machine : each.machines) machines += " " + machine;
    values.push_back(rel_path(each.id) + ":" + machines);
  }
  EXPECT_THAT(values, ElementsAre("per-machine/db/root/password: db", "per-machine/web/root/extra:",
                                  "per-machine/web/root/password:", "shared/ca/key: web", "shared/ca/withheld:"));
  EXPECT_THAT(resolve(*declaration, {.generator = "root", .file = "extra"}, "web"), Succeeds());
  EXPECT_THAT(resolve(*declaration, {.generator = "root", .file = "extra"}, "db"),
              FailsWith(Errc::not_found, HasSubstr("extra")));
}

TEST(InferredDeclaration, ClansAgeStoreIsRefusedByItsName) {
  const TestFolder folder;
  folder.write("secrets/clan-vars/shared/a/b/b.age", "x");
  EXPECT_TRUE(holds_store(folder.path()));
  EXPECT_THAT(inferred_declaration(folder.path()), FailsWith(Errc::unavailable, HasSubstr("secrets/clan-vars")));
}

TEST(InferredDeclaration, NeedsAStore) {
  const TestFolder folder;
  EXPECT_FALSE(holds_store(folder.path()));
}

}  // namespace
}  // namespace vmcred::store
