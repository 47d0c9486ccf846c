#include "activate/generation.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::activate {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

Item item(std::string path, std::string value, mode_t mode = 0400) {
  return {.path = std::move(path),
          .uid = ::geteuid(),
          .gid = ::getegid(),
          .mode = mode,
          .value = [value = std::move(value)]() -> Result<Secret> { return testing::secret(value); }};
}

class Generation : public ::testing::Test {
 protected:
  [[nodiscard]] std::string active(const std::string& path) const {
    return read_file(places_.link + "/" + path, 1000).value_or("(nothing)");
  }
  [[nodiscard]] static mode_t mode_of(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }
  [[nodiscard]] std::vector<std::string> kept() const { return list_folder(places_.generations).value(); }

  TestFolder folder_;
  Places places_ = {.generations = folder_ / "run/vmcred.d", .link = folder_ / "run/vmcred/vars", .mount = false};
};

TEST_F(Generation, PublishesEveryFileWithItsMode) {
  const auto published = publish_generation(places_, {item("shared/g/a", "one"), item("per-vm/v/g/b", "two", 0440)});
  ASSERT_THAT(published, Succeeds());
  EXPECT_TRUE(published->first);
  EXPECT_TRUE(published->switched);
  EXPECT_EQ(active("shared/g/a"), "one");
  EXPECT_EQ(active("per-vm/v/g/b"), "two");
  EXPECT_EQ(mode_of(places_.link + "/shared/g/a"), 0400U);
  EXPECT_EQ(mode_of(places_.link + "/per-vm/v/g/b"), 0440U);
  EXPECT_EQ(mode_of(places_.link + "/per-vm/v"), 0751U);
  EXPECT_EQ(mode_of(places_.link), 0751U);
}

TEST_F(Generation, ReplacesTheOneBeforeAsAWhole) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one"), item("g/gone", "x")}), Succeeds());
  const auto published = publish_generation(places_, {item("g/a", "two"), item("g/b", "new")});
  ASSERT_THAT(published, Succeeds());
  EXPECT_EQ(active("g/a"), "two");
  EXPECT_EQ(active("g/gone"), "(nothing)");
  EXPECT_THAT(kept(), ::testing::ElementsAre("2"));
  ASSERT_EQ(published->changes.size(), 3U);
  EXPECT_EQ(published->changes[0].kind, ChangeKind::content);
  EXPECT_EQ(published->changes[1].kind, ChangeKind::added);
  EXPECT_EQ(published->changes[2].kind, ChangeKind::removed);
}

TEST_F(Generation, StaysWhereNothingDiffers) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one")}), Succeeds());
  const auto published = publish_generation(places_, {item("g/a", "one")});
  ASSERT_THAT(published, Succeeds());
  EXPECT_FALSE(published->switched);
  EXPECT_EQ(published->number, 1U);
  EXPECT_THAT(kept(), ::testing::ElementsAre("1"));
}

TEST_F(Generation, CountsANewModeAsAChange) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one")}), Succeeds());
  const auto published = publish_generation(places_, {item("g/a", "one", 0444)});
  ASSERT_THAT(published, Succeeds());
  ASSERT_EQ(published->changes.size(), 1U);
  EXPECT_EQ(published->changes[0].kind, ChangeKind::owner);
}

TEST_F(Generation, LeavesOutAndNamesWhatCannotBeRead) {
  Item bad = item("g/bad", "");
  bad.value = []() -> Result<Secret> { return fail(Errc::denied, "no key of this machine opens it"); };
  const auto published = publish_generation(places_, {item("g/a", "one"), bad, item("g/c", "three")});
  ASSERT_THAT(published, Succeeds());
  ASSERT_EQ(published->failed.size(), 1U);
  EXPECT_EQ(published->failed[0].path, "g/bad");
  EXPECT_EQ(active("g/c"), "three");
  EXPECT_EQ(active("g/bad"), "(nothing)");
}

TEST_F(Generation, KeepsTheLastGoodValuesOfAFolderThatCannotBeReadAsAWhole) {
  ASSERT_THAT(publish_generation(places_, {item("g/cert", "c1"), item("g/key", "k1", 0440), item("h/x", "one")}),
              Succeeds());
  Item bad = item("g/key", "");
  bad.value = []() -> Result<Secret> { return fail(Errc::invalid_data, "merge markers"); };
  const auto published =
      publish_generation(places_, {item("g/cert", "c2"), bad, item("g/added", "a"), item("h/x", "two")});
  ASSERT_THAT(published, Succeeds());
  EXPECT_EQ(active("g/cert"), "c1");
  EXPECT_EQ(active("g/key"), "k1");
  EXPECT_EQ(mode_of(places_.link + "/g/key"), 0440U);
  EXPECT_EQ(active("g/added"), "(nothing)");
  EXPECT_EQ(active("h/x"), "two");
  EXPECT_EQ(published->kept.size(), 2U);
  EXPECT_EQ(published->files, 3U);
  ASSERT_EQ(published->changes.size(), 1U);
  EXPECT_EQ(published->changes[0].path, "h/x");
}

TEST_F(Generation, TakesFromAReaderNoLongerWhatHeMayNotHaveAndNothingElse) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one"), item("g/b", "two")}), Succeeds());
  Item taken = item("g/a", "");
  taken.value = []() -> Result<Secret> { return fail(Errc::denied, "no key"); };
  taken.may_stay = [] { return false; };
  const auto published = publish_generation(places_, {taken, item("g/b", "new")});
  ASSERT_THAT(published, Succeeds());
  EXPECT_EQ(active("g/a"), "(nothing)");
  EXPECT_EQ(active("g/b"), "new");
}

TEST_F(Generation, PublishesNothingWhereNothingCanBeRead) {
  Item bad = item("g/a", "");
  bad.value = []() -> Result<Secret> { return fail(Errc::denied, "no key"); };
  const auto published = publish_generation(places_, {bad});
  ASSERT_THAT(published, Succeeds());
  EXPECT_EQ(published->number, 0U);
  EXPECT_FALSE(published->switched);
  EXPECT_TRUE(kept().empty());
  EXPECT_FALSE(exists(places_.link));
}

TEST_F(Generation, RefusesANameThatLeavesTheFolder) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one")}), Succeeds());
  EXPECT_THAT(publish_generation(places_, {item("g/../../x", "y")}), FailsWith(Errc::usage, HasSubstr("leaves")));
  EXPECT_EQ(active("g/a"), "one");
  EXPECT_THAT(kept(), ::testing::ElementsAre("1"));
}

TEST_F(Generation, RemovesWhatAKilledRunLeft) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one")}), Succeeds());
  (void)folder_.write("run/vmcred.d/7/g/a", "half");
  ASSERT_EQ(::symlink("nowhere", (places_.link + ".new").c_str()), 0);
  ASSERT_THAT(publish_generation(places_, {item("g/a", "two")}), Succeeds());
  EXPECT_THAT(kept(), ::testing::ElementsAre("8"));
  EXPECT_EQ(active("g/a"), "two");
}

TEST_F(Generation, RemovesTheOneBeforeWhereARunWasKilledAfterItsSwitch) {
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one")}), Succeeds());
  (void)folder_.write("run/vmcred.d/7/g/a", "before");
  const auto published = publish_generation(places_, {item("g/a", "one")});
  ASSERT_THAT(published, Succeeds());
  EXPECT_FALSE(published->switched);
  EXPECT_THAT(kept(), ::testing::ElementsAre("1"));
}

TEST_F(Generation, RemovesLeftoversBeforeAnythingIsPublished) {
  EXPECT_THAT(remove_leftovers(places_), Succeeds());  // nothing has ever been active
  ASSERT_THAT(publish_generation(places_, {item("g/a", "one")}), Succeeds());
  (void)folder_.write("run/vmcred.d/7/g/a", "half");
  EXPECT_THAT(remove_leftovers(places_), Succeeds());
  EXPECT_THAT(kept(), ::testing::ElementsAre("1"));
  EXPECT_EQ(active("g/a"), "one");
}

TEST_F(Generation, ZeroesAnOldFileOnlyWhenNobodyReadsIt) {
  const std::string held = folder_.write("tree/held", "still read");
  const std::string idle = folder_.write("tree/idle", "not read");
  // A second name shows what became of the bytes.
  ASSERT_EQ(::link(idle.c_str(), (folder_ / "idle-witness").c_str()), 0);
  const Fd reader = open_for_reading(held).value();
  ASSERT_THAT(wipe_tree(folder_ / "tree"), Succeeds());
  EXPECT_EQ(read_all(reader, "held", 100).value(), "still read");
  EXPECT_EQ(read_file(folder_ / "idle-witness", 100).value(), std::string(8, '\0'));
  EXPECT_FALSE(exists(folder_ / "tree"));
}

}  // namespace
}  // namespace vmcred::activate
