#include "generate/survey.h"

#include "trial_project.h"

namespace vmcred::generate {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

TEST(Survey, OfAnEmptyStoreIsMissingAndOfAGeneratedOneFresh) {
  const TrialProject project;
  EXPECT_THAT(project.states(),
              ElementsAre("base missing, it was never generated", "made missing, it was never generated"));
  ASSERT_THAT(project.generate(), Succeeds());
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made fresh"));
  EXPECT_EQ(project.value("made", "copy"), "one");
}

TEST(Survey, TellsAChangedScriptAndChangedInputs) {
  TrialProject project;
  ASSERT_THAT(project.generate(), Succeeds());
  project.declaration.generators.at("base").script += " # more";
  project.declaration.generators.at("base").runtime_inputs = {"coreutils"};
  EXPECT_THAT(project.states(),
              ElementsAre("base stale, its script changed, its runtime-inputs changed", "made fresh"));
  ASSERT_THAT(project.generate(), Succeeds());
  EXPECT_THAT(project.states()[0], HasSubstr("stale"));
  ASSERT_THAT(project.generate({.stale = true}), Succeeds());
  EXPECT_THAT(project.states()[0], "base fresh");
}

TEST(Survey, ADependencyThatChangedMakesItsDependentsStaleAndNothingElse) {
  TrialProject project;
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
  TrialProject project;
  ASSERT_THAT(project.generate(), Succeeds());
  ASSERT_THAT(remove_tree(project.folder.path() + "/vars/per-machine/web/base/.vmcred.json"), Succeeds());
  project.declaration.generators.at("base").script += " # more";
  EXPECT_THAT(project.states()[0], "base fresh");
}

TEST(Survey, OfGeneratorsWhoseScriptsNobodyKnowsIsFreshAndTheyAreNotRun) {
  TrialProject project;
  ASSERT_THAT(project.generate(), Succeeds());
  ASSERT_THAT(write_file(project.repository.folder() + "/vars/per-machine/web/base/.validation-hash", "00", 0644),
              Succeeds());
  for (auto& [name, generator] : project.declaration.generators) {
    generator.foreign = true;
    generator.script.clear();
    generator.dependencies.clear();
  }
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made fresh"));
  EXPECT_THAT(project.generate(), Succeeds());  // nothing to do
  EXPECT_THAT(project.generate({.generators = {"base"}, .regenerate = true}),
              FailsWith(Errc::not_found, HasSubstr("is not known")));
  EXPECT_EQ(project.value("base", "key"), "one");
}

TEST(Survey, OfADamagedGeneratorHoldsNobodyUpWhoDoesNotNeedIt) {
  TrialProject project;
  ASSERT_THAT(project.generate(), Succeeds());
  const std::string secret = project.folder.path() + "/vars/per-machine/web/base/key/secret";
  ASSERT_THAT(remove_tree(secret), Succeeds());
  ASSERT_THAT(make_folders(secret), Succeeds());
  EXPECT_THAT(project.states(), ElementsAre("base damaged, 'vars/per-machine/web/base/key/secret' is no plain file",
                                            "made stale, base/key is damaged"));
  EXPECT_THAT(project.generate({.generators = {"made"}}), Succeeds());  // nothing to do
  EXPECT_THAT(project.generate(), FailsWith(Errc::invalid_data, HasSubstr("base/key/secret' is no plain file")));
  EXPECT_THAT(project.generate({.generators = {"base"}, .regenerate = true}),
              FailsWith(Errc::invalid_data, HasSubstr("is no plain file")));
}

TEST(Plan, StopsForAPartialGeneratorUntilItIsDecided) {
  TrialProject project;
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
  const TrialProject project;
  ASSERT_THAT(project.generate({.generators = {"made"}}), Succeeds());
  EXPECT_EQ(project.value("base", "key"), "one");
}

TEST(Plan, NamesUnknownGeneratorsAndMachines) {
  const TrialProject project;
  EXPECT_THAT(project.generate({.generators = {"bass"}}), FailsWith(Errc::not_found, HasSubstr("'bass'")));
  EXPECT_THAT(project.generate({.machines = {"wab"}}), FailsWith(Errc::not_found, HasSubstr("'wab'")));
}

TEST(Run, KeepsWhatWasFinishedWhenAnotherFails) {
  TrialProject project;
  project.declaration.generators.at("made").script = "exit 3";
  EXPECT_THAT(project.generate(),
              FailsWith(Errc::io, HasSubstr("made (machine web): its script failed with exit code 3")));
  EXPECT_THAT(project.states(), ElementsAre("base fresh", "made missing, it was never generated"));
}

}  // namespace
}  // namespace vmcred::generate
