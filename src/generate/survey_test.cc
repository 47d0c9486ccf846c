#include "generate/survey.h"

#include "base/file.h"
#include "generate/run.h"
#include "matchers.h"
#include "store/vault.h"

namespace vmcred::generate {
namespace {

using declare::Declaration;
using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using ::testing::ElementsAre;

/// A project with one user, in memory.
struct Project {
  TemporaryFolder folder = TemporaryFolder::make("/dev/shm").value();
  store::Repository repository = store::Repository::open(folder.path()).value();
  age::KeyPair pair = age::generate_key_pair();
  store::KeyRing keys = store::KeyRing::from_text(pair.identity, "a test").value();
  Declaration declaration;

  Project() {
    const store::Lock lock = store::Lock::take(repository, Wait::yes).value();
    store::write_user(repository, lock, "alice", {{"age", pair.recipient}}).value();
    declaration.machines = {{"web", {.name = "web"}}};
    add({.name = "base", .script = R"(printf one > "$out/key")", .files = {{"key", {.name = "key"}}}});
    add({.name = "made",
         .script = R"(cat "$in/base/key" > "$out/copy")",
         .dependencies = {"base"},
         .files = {{"copy", {.name = "copy"}}}});
  }
  void add(declare::Generator generator) {
    generator.machines = {"web"};
    declaration.generators.insert_or_assign(generator.name, generator);
  }
  [[nodiscard]] Result<> generate(const Request& request = {}) const {
    const store::Lock lock = store::Lock::take(repository, Wait::yes).value();
    TRY_LET(const Graph graph, build_graph(declaration));
    TRY_LET(const std::vector<Status> statuses, survey(graph, repository));
    TRY_LET(const std::vector<Step> steps, make_plan(graph, statuses, declaration, request));
    TRY(run_plan(graph, statuses, steps, {},
                 {.declaration = declaration, .repository = repository, .lock = lock, .keys = keys}));
    return {};
  }
  [[nodiscard]] std::vector<std::string> states() const {
    const Graph graph = build_graph(declaration).value();
    const std::vector<Status> statuses = survey(graph, repository).value();
    std::vector<std::string> list;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      std::string text = graph.tasks[i].id.generator + " " + std::string(word(statuses[i].state));
      for (const std::string& reason : statuses[i].reasons) text += ", " + reason;
      list.push_back(text);
    }
    return list;
  }
  [[nodiscard]] std::string value(const std::string& generator, const std::string& file) const {
    const store::GeneratorId id{.placement = {.sharing = declare::Sharing::per_machine, .owner = "web"},
                                .generator = generator};
    const Result<Secret> value = repository.read_var({.generator = id, .file = file}, keys);
    return value ? std::string(value->text()) : value.error().message;
  }
};

TEST(Survey, OfAnEmptyStoreIsMissingAndOfAGeneratedOneFresh) {
  const Project project;
  EXPECT_THAT(project.states(), ElementsAre("base missing, it was never generated", "made missing, it was never generated"));
  ASSERT_THAT(project.generate(), Succeeds());
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made fresh"));
  EXPECT_EQ(project.value("made", "copy"), "one");
}

TEST(Survey, TellsAChangedScriptAndChangedInputs) {
  Project project;
  ASSERT_THAT(project.generate(), Succeeds());
  project.declaration.generators.at("base").script += " # more";
  project.declaration.generators.at("base").runtime_inputs = {"coreutils"};
  EXPECT_THAT(project.states(), ElementsAre("base stale, its script changed, its runtime-inputs changed", "made fresh"));
  ASSERT_THAT(project.generate(), Succeeds());
  EXPECT_THAT(project.states()[0], HasSubstr("stale"));
  ASSERT_THAT(project.generate({.stale = true}), Succeeds());
  EXPECT_THAT(project.states()[0], "base fresh");
}

TEST(Survey, ADependencyThatChangedMakesItsDependentsStaleAndNothingElse) {
  Project project;
  ASSERT_THAT(project.generate(), Succeeds());
  project.declaration.generators.at("base").script = R"(printf two > "$out/key")";
  ASSERT_THAT(project.generate({.generators = {"base"}, .regenerate = true}), Succeeds());
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made stale, base/key changed"));
  EXPECT_EQ(project.value("made", "copy"), "one");
  project.declaration.generators.at("made").on_stale = declare::OnStale::regenerate;
  ASSERT_THAT(project.generate(), Succeeds());
  EXPECT_EQ(project.value("made", "copy"), "two");
}

TEST(Survey, ARepositoryWithoutRecordsCountsAsFresh) {
  Project project;
  ASSERT_THAT(project.generate(), Succeeds());
  ASSERT_THAT(remove_tree(project.folder.path() + "/vars/per-machine/web/base/.vmcred.json"), Succeeds());
  project.declaration.generators.at("base").script += " # more";
  EXPECT_THAT(project.states()[0], "base fresh");
}

TEST(Survey, OfGeneratorsWhoseScriptsNobodyKnowsIsFreshAndTheyAreNotRun) {
  Project project;
  ASSERT_THAT(project.generate(), Succeeds());
  ASSERT_THAT(write_file(project.repository.folder() + "/vars/per-machine/web/base/.validation-hash", "00", 0644), Succeeds());
  for (auto& [name, generator] : project.declaration.generators) {
    generator.foreign = true;
    generator.script.clear();
    generator.dependencies.clear();
  }
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made fresh"));
  EXPECT_THAT(project.generate(), Succeeds());  // nothing to do
  EXPECT_THAT(project.generate({.generators = {"base"}, .regenerate = true}), FailsWith(Errc::not_found, HasSubstr("is not known")));
  EXPECT_EQ(project.value("base", "key"), "one");
}

TEST(Plan, StopsForAPartialGeneratorUntilItIsDecided) {
  Project project;
  ASSERT_THAT(project.generate(), Succeeds());
  declare::Generator& base = project.declaration.generators.at("base");
  base.files.emplace("more", declare::File{.name = "more"});
  base.script = R"(printf two > "$out/key"; printf more > "$out/more")";
  EXPECT_THAT(project.generate(), FailsWith(Errc::mismatch, HasSubstr("base (machine web): 'more' is missing")));
  ASSERT_THAT(project.generate({.only_missing = true}), Succeeds());
  EXPECT_EQ(project.value("base", "key"), "one");
  EXPECT_EQ(project.value("base", "more"), "more");
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made stale, base/more is a new dependency"));
}

TEST(Plan, BringsMissingDependenciesAlong) {
  const Project project;
  ASSERT_THAT(project.generate({.generators = {"made"}}), Succeeds());
  EXPECT_EQ(project.value("base", "key"), "one");
}

TEST(Plan, NamesUnknownGeneratorsAndMachines) {
  const Project project;
  EXPECT_THAT(project.generate({.generators = {"bass"}}), FailsWith(Errc::not_found, HasSubstr("'bass'")));
  EXPECT_THAT(project.generate({.machines = {"wab"}}), FailsWith(Errc::not_found, HasSubstr("'wab'")));
}

TEST(Run, KeepsWhatWasFinishedWhenAnotherFails) {
  Project project;
  project.declaration.generators.at("made").script = "exit 3";
  EXPECT_THAT(project.generate(), FailsWith(Errc::io, HasSubstr("made (machine web): its script failed with exit code 3")));
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made missing, it was never generated"));
}

}  // namespace
}  // namespace vmcred::generate
