#include "adopt/adopt.h"

#include "adopt/wishes.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::adopt {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

Foreign foreign(const std::string& source, const std::vector<std::string>& recipients) {
  const std::string stem = source.substr(0, source.rfind('.'));
  return {.source = source,
          .generator = tamed(stem),
          .file = tamed(stem),
          .value = Secret::copy_of("value of " + source),
          .recipients = normal_recipients(recipients)};
}

struct People {
  std::string alice = age::generate_key_pair().recipient;
  std::string bob = age::generate_key_pair().recipient;
  std::string web = age::generate_key_pair().recipient;
  std::string db = age::generate_key_pair().recipient;
  [[nodiscard]] std::map<std::string, KeyName> names() const {
    return {{alice, {"alice"}}, {bob, {"bob"}}, {web, {"web", true}}, {db, {"db", true}}};
  }
};

std::string whole(const Adoption& adoption) { return declaration_text(adoption, Language::toml, {}, ""); }

std::vector<std::string> sources(const std::vector<LeftOut>& left_out) {
  std::vector<std::string> all;
  for (const LeftOut& each : left_out) all.push_back(each.source);
  return all;
}

TEST(Adoption, DeclaresEachSetOfReadersAsItIsAndNobodyWhereNoMachineReads) {
  const TestFolder folder;
  const auto repository = *store::Repository::open(folder.path());
  const People people;
  Found found{.names = people.names()};
  found.secrets.push_back(foreign("one.age", {people.alice, people.web}));
  found.secrets.push_back(foreign("two.age", {people.alice, people.web, people.db}));
  found.secrets.push_back(foreign("none.age", {people.alice, people.bob}));
  const auto adoption = plan_adoption(repository, std::move(found), {});
  ASSERT_THAT(adoption, Succeeds());
  EXPECT_EQ(whole(*adoption),
            "[generators.none]\nshare = true\nfiles.none = {deploy = false}\n\n"
            "[generators.one]\nmachines = [\"web\"]\nfiles.one = {}\n\n"
            "[generators.two]\nshare = true\nmachines = [\"db\", \"web\"]\nfiles.two = {}\n\n");
  EXPECT_THAT(adoption->users, ElementsAre("alice", "bob"));
  EXPECT_THAT(adoption->machines, ElementsAre("db", "web"));
}

TEST(Adoption, LeavesOutWhatWouldBearOneNameAndProposesAnother) {
  const TestFolder folder;
  const auto repository = *store::Repository::open(folder.path());
  const People people;
  const auto again = [&](const Wishes& wishes) {
    Found found{.names = people.names()};
    for (const char* name : {"a_b.age", "a-b.age", "sub/a.age", "sub-a.age", "пароль.age", ".age", "good.age"})
      found.secrets.push_back(foreign(name, {people.alice}));
    return plan_adoption(repository, std::move(found), wishes);
  };
  const auto adoption = again({});
  ASSERT_THAT(adoption, Succeeds());
  EXPECT_THAT(sources(adoption->left_out),
              ElementsAre(".age", "a-b.age", "a_b.age", "sub-a.age", "sub/a.age", "пароль.age"));
  EXPECT_EQ(adoption->count(), 1U);
  EXPECT_THAT(adoption->left_out[2].error.message, HasSubstr("'a-b.age'"));
  EXPECT_THAT(adoption->left_out[2].error.hint, HasSubstr("--rename a_b.age="));
  const auto renamed = again({.names = {{"a_b.age", "a-under-b"}, {"sub/a", "sub/a"}, {"пароль.age", "password"}}});
  ASSERT_THAT(renamed, Succeeds());
  EXPECT_THAT(sources(renamed->left_out), ElementsAre(".age"));
  EXPECT_THAT(again({.names = {{"nothing", "x"}}}), FailsWith(Errc::usage, HasSubstr("no secret is called 'nothing'")));
  EXPECT_THAT(again({.names = {{"good", "a/b/c"}}}), FailsWith(Errc::usage, HasSubstr("")));
}

TEST(Adoption, AnOwnerWithAnotherKeyDoesNotBringThatAlong) {
  const TestFolder folder;
  const People people;
  folder.write("sops/users/alice/key.json", store::print_key_file({{"age", people.alice}, {"age", people.bob}}));
  const auto repository = *store::Repository::open(folder.path());
  Found found{.names = people.names()};
  found.secrets.push_back(foreign("hers.age", {people.alice}));
  found.secrets.push_back(foreign("of-both.age", {people.alice, people.bob}));
  const auto adoption = plan_adoption(repository, std::move(found), {});
  ASSERT_THAT(adoption, Succeeds());
  EXPECT_THAT(adoption->users, ElementsAre("alice-2"));
  for (const store::FolderChange& each : adoption->changes) {
    if (each.folder == "vars/shared/hers") EXPECT_TRUE(each.change.links.contains("hers/users/alice-2"));
    if (each.folder == "vars/shared/of-both") EXPECT_TRUE(each.change.links.contains("of-both/users/alice"));
  }
}

TEST(Adoption, AKeyThatCannotBeUsedLeavesItsSecretsOut) {
  const TestFolder folder;
  const auto repository = *store::Repository::open(folder.path());
  const People people;
  Found found{.names = people.names()};
  found.secrets.push_back(foreign("good.age", {people.alice}));
  found.secrets.push_back(foreign("bad.age", {people.alice, "age1nonsense"}));
  const auto adoption = plan_adoption(repository, std::move(found), {});
  ASSERT_THAT(adoption, Succeeds());
  EXPECT_THAT(sources(adoption->left_out), ElementsAre("bad.age"));
  EXPECT_EQ(adoption->count(), 1U);
}

TEST(Adoption, WhoIsNamedAndCouldNotReadStaysOutside) {
  const TestFolder folder;
  const auto repository = *store::Repository::open(folder.path());
  const People people;
  const std::string key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL0idNvgGiucWgup/mP78zyC23uFjYq0evcWdjGQUaBH";
  const auto again = [&](const std::string& doubtful, bool widen) {
    Found found{.names = people.names()};
    found.names[key] = {"carol"};
    found.secrets.push_back(foreign("a.age", {people.alice, key}));
    found.secrets.back().unproven = {doubtful};
    return *plan_adoption(repository, std::move(found), {.widen = widen});
  };
  EXPECT_THAT(again(key, false).users, ElementsAre("alice"));
  EXPECT_THAT(again(key, true).users, ElementsAre("alice", "carol"));
  EXPECT_THAT(sources(again(people.alice, false).left_out), ElementsAre("a.age"));
}

TEST(Adoption, AHostNixGetsWhatItsHostReads) {
  Adoption adoption;
  adoption.generators = {{.generator = "a", .machines = {"web"}, .files = {{.name = "a"}}},
                         {.generator = "b", .machines = {"db"}, .files = {{.name = "b"}}},
                         {.generator = "c", .files = {{.name = "c"}}}};
  EXPECT_EQ(declaration_text(adoption, Language::nix, {}, "web"),
            "clan.core.vars.generators.\"a\" = {\n  files.\"a\" = { };\n};\n"
            "# of \"db\", not of web:\n# clan.core.vars.generators.\"b\" = {\n#   files.\"b\" = { };\n# };\n"
            "clan.core.vars.generators.\"c\" = {\n  share = true;\n  files.\"c\" = { deploy = false; };\n};\n");
}

TEST(Adoption, AFurtherFileOfAKnownGeneratorIsATableBelowIt) {
  Adoption adoption;
  adoption.generators = {{.generator = "env",
                          .machines = {"web"},
                          .files = {{.name = "API_KEY"}, {.name = "x.y", .secret = false}},
                          .known = true}};
  EXPECT_EQ(whole(adoption), "[generators.env.files.API_KEY]\n\n[generators.env.files.\"x.y\"]\nsecret = false\n\n");
}

}  // namespace
}  // namespace vmcred::adopt
