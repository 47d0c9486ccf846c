#include "store/vault.h"

#include <unistd.h>

#include "base/file.h"
#include "matchers.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::secret;
using testing::Succeeds;
using testing::TestFolder;

struct Person {
  age::KeyPair pair = age::generate_key_pair();
  [[nodiscard]] KeyRing keys() const { return KeyRing::from_text(pair.identity, "a test").value(); }
};

struct Project {
  TestFolder folder;
  Repository repository = Repository::open(folder.path()).value();
  Person alice;
  Person mallory;
  declare::Machine machine{.name = "web"};
  GeneratorId id{.placement = {.sharing = declare::Sharing::per_machine, .owner = "web"}, .generator = "g"};
  VarId var{.generator = id, .file = "key"};

  Project() {
    const Lock lock = Lock::take(repository, Wait::yes).value();
    write_user(repository, lock, "alice", {{"age", alice.pair.recipient}}).value();
    write_user(repository, lock, "mallory", {{"age", mallory.pair.recipient}}).value();
    ensure_machine_key(repository, lock, machine, "alice", alice.keys()).value();
  }
  [[nodiscard]] Result<> put(std::string_view value) const {
    const Lock lock = Lock::take(repository, Wait::yes).value();
    Principals principals(repository);
    Sealer sealer(principals);
    Change change;
    TRY(sealer.add(change, repository, id,
                   {.file = "key", .value = secret(value), .links = {.users = {"alice"}, .machines = {"web"}}}));
    return publish(repository, lock, Repository::generator_path(id), change);
  }
};

TEST(Vault, StoresWhatUserAndMachineCanRead) {
  const Project project;
  ASSERT_THAT(project.put("hunter2"), Succeeds());
  EXPECT_EQ(project.repository.read_var(project.var, project.alice.keys())->text(), "hunter2");
  const Secret own = machine_key(project.repository, "web", project.alice.keys()).value();
  const KeyRing host = KeyRing::from_text(own, "the machine's").value();
  EXPECT_EQ(project.repository.read_var(project.var, host)->text(), "hunter2");
  EXPECT_THAT(project.repository.read_var(project.var, project.mallory.keys()),
              FailsWith(Errc::denied, HasSubstr("vars/per-machine/web/g/key/secret")));
}

TEST(Vault, FindsNoDriftInWhatItWrote) {
  const Project project;
  ASSERT_THAT(project.put("hunter2"), Succeeds());
  Principals principals(project.repository);
  EXPECT_TRUE(drift(principals, "vars/per-machine/web/g/key")->none());
}

TEST(Vault, GivesNoNewValueToALinkThatSlippedIn) {
  const Project project;
  ASSERT_THAT(project.put("hunter2"), Succeeds());
  ASSERT_EQ(::symlink("../../../../../../sops/users/mallory",
                      (project.folder / "vars/per-machine/web/g/key/users/mallory").c_str()),
            0);
  EXPECT_THAT(project.put("hunter3"), FailsWith(Errc::mismatch, HasSubstr("g/key (machine web)")));
  EXPECT_EQ(project.repository.read_var(project.var, project.alice.keys())->text(), "hunter2");
}

TEST(Vault, MakesAMachinesKeyOnceAndFinishesAHalfMadeOne) {
  const Project project;
  const Lock lock = Lock::take(project.repository, Wait::yes).value();
  EXPECT_FALSE(ensure_machine_key(project.repository, lock, project.machine, "alice", project.alice.keys()).value());
  const std::string before = read_file(project.folder / "sops/machines/web/key.json", 10000).value();
  ASSERT_THAT(remove_tree(project.folder / "sops/machines/web"), Succeeds());
  EXPECT_TRUE(ensure_machine_key(project.repository, lock, project.machine, "alice", project.alice.keys()).value());
  EXPECT_EQ(read_file(project.folder / "sops/machines/web/key.json", 10000).value(), before);
}

TEST(Vault, SaysWhoMustHelpWhenYouAreNobody) {
  const Project project;
  const Person stranger;
  Principals principals(project.repository);
  EXPECT_EQ(principals.user_of(project.alice.keys()).value(), "alice");
  EXPECT_THAT(principals.user_of(stranger.keys()), FailsWith(Errc::denied, HasSubstr("none of your keys")));
  EXPECT_THAT(principals.user_of(KeyRing()), FailsWith(Errc::denied, HasSubstr("no private key")));
}

}  // namespace
}  // namespace vmcred::store
