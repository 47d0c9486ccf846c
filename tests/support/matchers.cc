#include "matchers.h"

#include <cstdlib>
#include <iostream>

#include "base/file.h"

namespace vmcred::testing {
namespace {

constexpr std::size_t kMaxGolden = 4 * 1024 * 1024;

/// The first line that differs, for a message that can be read.
std::string first_difference(const std::string& wanted, const std::string& got) {
  std::size_t line = 1;
  std::size_t start = 0;
  for (std::size_t i = 0; i < std::min(wanted.size(), got.size()) && wanted[i] == got[i]; ++i) {
    if (wanted[i] == '\n') {
      ++line;
      start = i + 1;
    }
  }
  const auto cut = [start](const std::string& text) {
    return start < text.size() ? text.substr(start, text.find('\n', start) - start) : std::string("(end)");
  };
  return fmt::format("line {}\n  golden: {}\n  got:    {}", line, cut(wanted), cut(got));
}

}  // namespace

std::string source_folder() { return VMCRED_SOURCE; }

::testing::AssertionResult matches_golden(const std::string& text, const std::string& name) {
  const std::string path = std::string(VMCRED_SOURCE) + "/tests/golden/" + name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    const auto slash = path.rfind('/');
    if (auto made = make_folders(path.substr(0, slash)); !made) return ::testing::AssertionFailure() << made.error();
    if (auto written = write_file(path, text, 0644); !written) return ::testing::AssertionFailure() << written.error();
    return ::testing::AssertionSuccess();
  }
  const auto golden = read_file(path, kMaxGolden);
  if (!golden) return ::testing::AssertionFailure() << golden.error().message << "; UPDATE_GOLDEN=1 makes it";
  if (*golden == text) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "differs from tests/golden/" << name << " at "
                                       << first_difference(*golden, text) << "\nUPDATE_GOLDEN=1 rewrites it";
}

TestFolder::TestFolder() {
  std::string path = "/tmp/vmcred-test-XXXXXX";
  path_ = ::mkdtemp(path.data()) != nullptr ? path : "";
  if (path_.empty()) {
    std::cerr << "cannot make a temporary folder\n";
    std::abort();
  }
}

TestFolder::~TestFolder() { (void)remove_tree(path_); }

std::string TestFolder::write(std::string_view name, std::string_view text) const {
  const std::string path = *this / name;
  const auto made = make_folders(path.substr(0, path.rfind('/')));
  const auto written = write_file(path, text, 0644);
  EXPECT_TRUE(made && written) << "cannot write " << path;
  return path;
}

std::string shared_data(const std::string& what) {
  const char* folder = std::getenv("VMCRED_SHARED");  // NOLINT(concurrency-mt-unsafe)
  std::string path = folder != nullptr ? folder : std::string(VMCRED_SOURCE) + "/../shared";
  path += "/data/" + what;
  if (exists(path)) return path;
  std::cout << "NOT RUN HERE: " << what << " is not beside this checkout; set VMCRED_SHARED to compare with it\n";
  return "";
}

}  // namespace vmcred::testing
