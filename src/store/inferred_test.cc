#include "store/inferred.h"

#include <unistd.h>

#include "base/file.h"
#include "matchers.h"

namespace vmcred::store {
namespace {

using testing::Succeeds;
using testing::TestFolder;
using ::testing::ElementsAre;

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
  ASSERT_EQ(::symlink("../../../../../../sops/machines/web", (folder / "vars/per-machine/web/ca/leaf/machines/web").c_str()), 0);
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
  EXPECT_TRUE(declaration->generators.at("ca").files.at("key").secret);
  EXPECT_FALSE(declaration->generators.at("ca").files.at("key").deploy);
}

TEST(InferredDeclaration, NeedsAStore) {
  const TestFolder folder;
  EXPECT_FALSE(holds_store(folder.path()));
}

}  // namespace
}  // namespace vmcred::store
