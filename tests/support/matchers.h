// gtest matchers for our vocabulary. They print an error's words, never a value.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::testing {

using ::testing::HasSubstr;

/// A Secret with that text.
inline Secret secret(std::string_view text) { return Secret::copy_of(text); }

/// EXPECT_THAT(result, FailsWith(Errc::usage, HasSubstr("'x'")))
MATCHER_P2(FailsWith, code, message, "fails") {
  if (arg.has_value()) {
    *result_listener << "succeeded";
    return false;
  }
  if (arg.error().code != code) {
    *result_listener << "has code " << static_cast<int>(arg.error().code) << ": " << arg.error().message;
    return false;
  }
  return ::testing::ExplainMatchResult(message, arg.error().message, result_listener);
}

/// EXPECT_THAT(result, Succeeds())
MATCHER(Succeeds, "succeeds") {
  if (arg.has_value()) return true;
  *result_listener << "failed: " << arg.error().message;
  return false;
}

/// The project's folder. Only the support library is compiled with it, so that all else is cached for every checkout.
std::string source_folder();

/// Compares with tests/golden/NAME; UPDATE_GOLDEN=1 rewrites it.
::testing::AssertionResult matches_golden(const std::string& text, const std::string& name);
MATCHER_P(MatchesGolden, name, "matches the golden file") {
  const auto result = matches_golden(arg, name);
  if (!result) *result_listener << result.message();
  return static_cast<bool>(result);
}

/// A folder that is removed at the end of the test.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  /// Writes a file (folders are made); returns its path.
  std::string write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

/// The shared test data beside the checkout (or $VMCRED_SHARED), or "" with a printed line that says what is left out.
std::string shared_data(const std::string& what);

}  // namespace vmcred::testing
