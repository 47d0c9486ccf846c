#include "unit/install.h"

#include "base/file.h"
#include "matchers.h"

namespace vmcred::unit {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

UnitFile file(const std::string& path, const std::string& text) { return {path, std::string(kMark) + "\n" + text}; }

TEST(InstallUnits, SaysWhatItDidAndDoesNothingTheSecondTime) {
  const TestFolder folder;
  std::vector<UnitFile> files = {file("microvm@.service", "a"), file("microvm@x.service.d/50-vmcred.conf", "b")};
  const auto first = install_units(folder.path(), files, Scope::host);
  ASSERT_THAT(first, Succeeds());
  EXPECT_EQ(*first, (std::vector<Installed>{{files[0].path, InstallKind::added}, {files[1].path, InstallKind::added}}));
  EXPECT_EQ(read_file(folder / files[1].path, 1000), files[1].text);
  files[0].text += "more";
  const auto second = install_units(folder.path(), files, Scope::host);
  ASSERT_THAT(second, Succeeds());
  EXPECT_EQ((*second)[0].kind, InstallKind::changed);
  EXPECT_EQ((*second)[1].kind, InstallKind::unchanged);
}

TEST(InstallUnits, RemovesTheDropInOfAVmThatIsGoneAndNothingElse) {
  const TestFolder folder;
  folder.write("microvm@gone.service.d/50-vmcred.conf", std::string(kMark) + "\n");
  folder.write("microvm@gone.service.d/60-mine.conf", "[Service]\n");
  folder.write("microvm@old.service.d/50-vmcred.conf", std::string(kMark) + "\n");
  folder.write("microvm@foreign.service.d/50-vmcred.conf", "[Service]\n");
  folder.write("guest.service.d/50-vmcred.conf", std::string(kMark) + "\n");
  const auto done = install_units(folder.path(), {}, Scope::host);
  ASSERT_THAT(done, Succeeds());
  EXPECT_EQ(done->size(), 2U);
  EXPECT_FALSE(exists(folder / "microvm@gone.service.d/50-vmcred.conf"));
  EXPECT_TRUE(exists(folder / "microvm@gone.service.d/60-mine.conf"));
  EXPECT_FALSE(exists(folder / "microvm@old.service.d"));
  EXPECT_TRUE(exists(folder / "microvm@foreign.service.d/50-vmcred.conf"));
  EXPECT_TRUE(exists(folder / "guest.service.d/50-vmcred.conf"));
}

TEST(InstallUnits, LeavesAForeignFileAloneAndWritesNothingThen) {
  const TestFolder folder;
  folder.write("microvm@.service", "[Service]\n");
  EXPECT_THAT(
      install_units(folder.path(), {file("vmcred-activate.service", "a"), file("microvm@.service", "b")}, Scope::host),
      FailsWith(Errc::denied, HasSubstr("not written by vmcred")));
  EXPECT_FALSE(exists(folder / "vmcred-activate.service"));
}

}  // namespace
}  // namespace vmcred::unit
