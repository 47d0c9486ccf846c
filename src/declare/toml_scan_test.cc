#include "declare/toml_scan.h"

#include "declare/load.h"
#include "matchers.h"

namespace vmcred::declare {
namespace {

using testing::FailsWith;
using testing::HasSubstr;

std::string times(std::size_t count, std::string_view what) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += what;
  return text;
}

/// Everything that lies `depth` levels deep.
std::vector<std::string> deep(std::size_t depth) {
  return {
      times(depth - 1, "a.") + "a = 1\n",
      "[" + times(depth - 1, "a.") + "a]\nx = 1\n",
      "[[" + times(depth - 1, "a.") + "a]]\nx = 1\n",
      "[ 'a' . " + times(depth - 1, "\"a\" . ") + "a ]\n",
      times(depth - 1, "\"a.b\" . ") + "'c' = 1\n",
      "a = " + times(depth, "[") + times(depth, "]") + "\n",
      "a = " + times(depth, "[\n") + times(depth, "]\n"),
      "a = " + times(depth, "{ a = ") + "1" + times(depth, " }") + "\n",
      "a = " + times(depth, "{ a.b = ") + "1" + times(depth, " }") + "\n",
      "[" + times(depth / 2, "a.") + "a]\n" + times(depth - depth / 2, "b.") + "c = 1\n",
      "a = [" + times(depth - 1, "{ a = [") + times(depth - 1, "] }") + "]\n",
      times(depth - 1, "a.") + "a",  // and then nothing
      "a = " + times(depth, "["),
  };
}

TEST(TomlDepth, IsLimitedHoweverItIsWritten) {
  for (const std::size_t depth : {kMaxTomlDepth + 2, std::size_t{1000}, std::size_t{18'000}, std::size_t{200'000}}) {
    for (const std::string& text : deep(depth)) {
      SCOPED_TRACE(text.substr(0, 40));
      EXPECT_THAT(parse_toml(text, "/p/vmcred.toml"),
                  FailsWith(Errc::invalid_data, HasSubstr("nested deeper than 64 levels")));
    }
  }
}

TEST(TomlDepth, SaysWhereItBegins) {
  const auto error = unfit_for_parser("x = 1\n" + times(100, "a.") + "a = 1\n");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->mark.line, 2);
  EXPECT_EQ(error->mark.column, 129);
}

TEST(TomlDepth, LeavesManyLinesAndTextsAlone) {
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += "[generators.g" + std::to_string(i) + ".files.a]\nx.y = [1.5, 2.5, [\"" + times(200, "a.[{") + "\"]] # " +
            times(200, "[a.") + "\n";
  text += "script = \"\"\"\n" + times(200, "[a.b.{\n") + "\"\"\"\n";
  EXPECT_FALSE(unfit_for_parser(text));
  for (const std::string& shallow : deep(20)) EXPECT_FALSE(unfit_for_parser(shallow)) << shallow;
}

}  // namespace
}  // namespace vmcred::declare
