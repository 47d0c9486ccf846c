// The judgement on lines that were written before it: how many secrets are missed, how many public texts are taken for
// one.
#include "base/file.h"
#include "matchers.h"
#include "shape/secret_shape.h"

namespace vmcred::shape {
namespace {

struct Wrong {
  int lines = 0;
  int wrong = 0;
  std::string which = {};
};

/// "{}" parts what would look like a real token to whoever scans this repository; "\n" is a line's end.
std::string plain(std::string text) {
  const auto replace = [&](std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  };
  replace("{}", "");
  replace("\\n", "\n");
  return text;
}

/// Lines "secret" or "public", name, text, with a tab between.
std::map<std::string, Wrong> measured(const std::string& name) {
  const auto file = read_file(testing::source_folder() + "/tests/vectors/secret_shape/" + name, 1'000'000);
  std::map<std::string, Wrong> all;
  if (!file) return all;
  std::string_view rest = *file;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    if (second == std::string_view::npos) continue;  // a comment
    const std::string kind(line.substr(0, first));
    Wrong& counted = all[kind];
    ++counted.lines;
    const bool secret =
        looks_like_secret(plain(std::string(line.substr(second + 1))), line.substr(first + 1, second - first - 1))
            .has_value();
    if (secret == (kind == "secret")) continue;
    ++counted.wrong;
    counted.which += std::string(line) + "\n";
  }
  return all;
}

void expect_at_most_two_percent(const std::string& name, int least) {
  const auto all = measured(name);
  ASSERT_EQ(all.size(), 2U);
  for (const auto& [kind, counted] : all) {
    EXPECT_GE(counted.lines, least);
    EXPECT_LE(counted.wrong * 50, counted.lines) << kind << ": " << counted.wrong << " of " << counted.lines << "\n"
                                                 << counted.which;
  }
}

TEST(Corpus, IsJudgedWithAtMostTwoPercentWrongEachWay) { expect_at_most_two_percent("lines.txt", 150); }

TEST(Corpus, OfLinesThatWereWrittenAfterTheJudgementIsToo) { expect_at_most_two_percent("later.txt", 50); }

TEST(Corpus, OfLinesThatWereWrittenLastIsToo) { expect_at_most_two_percent("third.txt", 90); }

}  // namespace
}  // namespace vmcred::shape
