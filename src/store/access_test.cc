#include "store/access.h"

#include <unistd.h>

#include "base/file.h"
#include "matchers.h"

namespace vmcred::store {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

TEST(KeyFile, IsReadInBothForms) {
  const PublicKey one{"age", "age1x"};
  EXPECT_THAT(*parse_key_file(R"([{"publickey":"age1x","type":"age","note":"ignored"}])"), ElementsAre(one));
  EXPECT_THAT(*parse_key_file(R"({"type":"AGE","publickey":"age1x"})"), ElementsAre(one));
}

TEST(KeyFile, WithoutAKeyIsRefused) {
  EXPECT_THAT(parse_key_file("[]"), FailsWith(Errc::invalid_data, HasSubstr("no key")));
  EXPECT_THAT(parse_key_file(R"([{"type":"age"}])"), FailsWith(Errc::invalid_data, HasSubstr("publickey")));
  EXPECT_THAT(parse_key_file(R"([{"type":"x","publickey":"k"}])"), FailsWith(Errc::invalid_data, HasSubstr("'x'")));
}

TEST(KeyFile, IsWrittenAsClanDoes) {
  EXPECT_EQ(print_key_file({{"age", "age1x"}}), "[\n  {\n    \"publickey\": \"age1x\",\n    \"type\": \"age\"\n  }\n]");
}

TEST(LinkTarget, HasAsManyUpsAsClans) {
  EXPECT_EQ(link_target("vars/per-machine/m/g/f", Kind::user, "u"), "../../../../../../sops/users/u");
  EXPECT_EQ(link_target("vars/shared/g/f", Kind::machine, "m"), "../../../../../sops/machines/m");
  EXPECT_EQ(link_target("sops/secrets/s", Kind::group, "g"), "../../../groups/g");
  EXPECT_EQ(link_target("sops/groups/g", Kind::user, "u"), "../../../users/u");
}

struct Tree {
  TestFolder folder;
  Tree() {
    folder.write("sops/users/alice/key.json", R"([{"publickey":"age1alice","type":"age"}])");
    folder.write("sops/users/bob/key.json", R"([{"publickey":"age1bob","type":"age"}])");
    folder.write("sops/machines/web/key.json", R"({"publickey":"age1web","type":"age"})");
    make_folders(folder / "sops/groups/admins/users").value();
    make_folders(folder / "vars/shared/g/f/users").value();
    make_folders(folder / "vars/shared/g/f/machines").value();
    make_folders(folder / "vars/shared/g/f/groups").value();
  }
  void link(const std::string& path, const std::string& target) const {
    ASSERT_EQ(::symlink(target.c_str(), (folder / path).c_str()), 0);
  }
  [[nodiscard]] Repository repository() const { return Repository::open(folder.path()).value(); }
};

TEST(Principals, GiveTheKeysBehindUsersMachinesAndGroups) {
  const Tree tree;
  tree.link("vars/shared/g/f/users/alice", "../../../../../sops/users/alice");
  tree.link("vars/shared/g/f/machines/web", "../../../../../sops/machines/web");
  tree.link("vars/shared/g/f/groups/admins", "../../../../../sops/groups/admins");
  tree.link("sops/groups/admins/users/bob", "../../../users/bob");
  const Repository repository = tree.repository();
  Principals principals(repository);
  const Result<Acl> acl = principals.acl("vars/shared/g/f");
  ASSERT_THAT(acl, Succeeds());
  EXPECT_TRUE(acl->bad.empty());
  EXPECT_THAT(*principals.readers(acl->links),
              ElementsAre(PublicKey{"age", "age1alice"}, PublicKey{"age", "age1bob"}, PublicKey{"age", "age1web"}));
}

TEST(Principals, LinksThatLeadElsewhereGrantNothing) {
  const Tree tree;
  tree.folder.write("elsewhere/key.json", R"([{"publickey":"age1evil","type":"age"}])");
  tree.folder.write("vars/shared/g/f/users/plain", "no link");
  tree.link("vars/shared/g/f/users/alice", "../../../../../sops/users/bob");      // another name
  tree.link("vars/shared/g/f/users/evil", "../../../../../elsewhere");            // out of sops/
  tree.link("vars/shared/g/f/users/gone", "../../../../../sops/users/gone");      // nobody
  tree.link("vars/shared/g/f/machines/etc", "/etc");                              // absolute
  tree.link("vars/shared/g/f/machines/up", "../../../../../../../../../etc/up");  // out of the project
  tree.link("vars/shared/g/f/machines/web", "../../../../../sops/users/../machines/web");
  const Repository repository = tree.repository();
  Principals principals(repository);
  const Result<Acl> acl = principals.acl("vars/shared/g/f");
  ASSERT_THAT(acl, Succeeds());
  EXPECT_THAT(acl->links.users, ElementsAre());
  EXPECT_THAT(acl->links.machines, ElementsAre("web"));
  EXPECT_EQ(acl->bad.size(), 6U);
}

TEST(Principals, APrincipalsFolderThatIsALinkIsNobody) {
  const Tree tree;
  tree.folder.write("elsewhere/key.json", R"([{"publickey":"age1evil","type":"age"}])");
  tree.link("sops/users/evil", "../../elsewhere");
  tree.link("vars/shared/g/f/users/evil", "../../../../../sops/users/evil");
  const Repository repository = tree.repository();
  Principals principals(repository);
  EXPECT_FALSE(principals.exists(Kind::user, "evil"));
  const Result<Acl> acl = principals.acl("vars/shared/g/f");
  EXPECT_TRUE(!acl || acl->links.users.empty());
}

}  // namespace
}  // namespace vmcred::store
