#include "store/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "matchers.h"

namespace vmcred::store {
namespace {

TEST(Bundle, IsWhatTarReads) {
  const testing::TestFolder folder;
  const std::string long_name = "vars/" + std::string(90, 'a') + "/" + std::string(90, 'b') + "/secret";
  const std::string odd(513, 'x');
  {
    const Fd out(::open((folder / "bundle.tar").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_THAT(write_bundle(out, {{.path = "key.txt", .bytes = bytes_of("secret\n"), .mode = 0600},
                                   {.path = "empty", .bytes = {}},
                                   {.path = long_name, .bytes = bytes_of(odd)}}),
                testing::Succeeds());
  }
  const auto output = run({.argv = {"tar", "-xpf", "bundle.tar"}, .folder = folder.path()});
  ASSERT_THAT(output, testing::Succeeds());
  EXPECT_EQ(output->status.code, 0) << output->err;
  EXPECT_EQ(read_file(folder / "key.txt", 100).value(), "secret\n");
  EXPECT_EQ(read_file(folder / "empty", 100).value(), "");
  EXPECT_EQ(read_file(folder / long_name, 1000).value(), odd);
  struct stat status = {};
  ASSERT_EQ(::stat((folder / "key.txt").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

}  // namespace
}  // namespace vmcred::store
