#include "chain/report.h"

#include <sys/stat.h>

#include "base/file.h"
#include "chain/check.h"
#include "chain/lines.h"
#include "matchers.h"

namespace vmcred::chain {
namespace {

using testing::MatchesGolden;
using testing::TestFolder;

constexpr std::string_view kToml = R"(# ä comment
[machines.host]
[generators.web-secrets]
files.key = { mode = "0444" }
files.two = {}
[vms.web]
load-credential = ["host-key:web-secrets/key", "two:web-secrets/two"]
credential-files = ["host-kei", "two"]
oem-strings = ["io.systemd.credential:ÄÖ=x"]
guest.services.app.load-credential = ["key:HOST_KEY", "two:TWO"]
)";

std::vector<Finding> found_in(const TestFolder& folder) {
  const std::string file = folder.write("vmcred.toml", kToml);
  std::vector<Finding> findings = check_declaration(*declare::load_leniently(file));
  sort_findings(findings);
  return findings;
}

std::string without(std::string text, const std::string& folder) {
  for (std::size_t at = text.find(folder + "/"); at != std::string::npos; at = text.find(folder + "/"))
    text.erase(at, folder.size() + 1);
  return text;
}

TEST(Report, LooksLikeACompilers) {
  const TestFolder folder;
  EXPECT_THAT(without(findings_text(found_in(folder), false), folder.path()), MatchesGolden("check/findings.txt"));
}

TEST(Report, IsDataForPrograms) {
  const TestFolder folder;
  EXPECT_THAT(without(dump_json(findings_json(found_in(folder)), Indent::two_spaces), folder.path()),
              MatchesGolden("check/findings.json"));
}

TEST(Report, NamesARuleForEachCode) {
  const TestFolder folder;
  const Json sarif = findings_sarif(found_in(folder), "1.2.3");
  const Json& run = sarif.find("runs")->if_array()->front();
  for (const Json& result : *run.find("results")->if_array()) {
    const auto index = static_cast<std::size_t>(*result.find("ruleIndex")->if_integer());
    EXPECT_EQ((*run.find("tool")->find("driver")->find("rules")->if_array())[index].string_at("id"),
              result.string_at("ruleId"));
  }
}

TEST(Report, NeverShowsWhatLooksLikeASecret) {
  EXPECT_EQ(shown_line("a = { value = \"x AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQ\", services = [] }"),
            "a = { value = \"" + std::string(34, '*') + "\", services = [] }");
  EXPECT_EQ(shown_line("-smbios type=11,value=io.systemd.credential:K=AKIAIOSFODNN7EXAMPLE -m 1"),
            "-smbios type=11,value=io.systemd.credential:K=" + std::string(20, '*') + " -m 1");
  EXPECT_EQ(shown_line("api-key = { from = \"test-vm-secrets/api-key\" }"),
            "api-key = { from = \"test-vm-secrets/api-key\" }");
}

TEST(Report, EscapesFileNamesAsUris) {
  EXPECT_EQ(findings_sarif({finding(Code::due, {.file = "a b/ü"}, "x")}, "1")
                .find("runs")
                ->if_array()
                ->front()
                .find("results")
                ->if_array()
                ->front()
                .find("locations")
                ->if_array()
                ->front()
                .find("physicalLocation")
                ->find("artifactLocation")
                ->string_at("uri"),
            "a%20b/%C3%BC");
}

TEST(Fix, MendsWhatIsMechanicalAndKeepsTheRest) {
  const TestFolder folder;
  const auto findings = found_in(folder);
  ASSERT_EQ(::chmod((folder / "vmcred.toml").c_str(), 0640), 0);
  ASSERT_THAT(apply_edits(findings), testing::Succeeds());
  // What was wrong may have hidden what else is.
  ASSERT_THAT(apply_edits(check_declaration(*declare::load_leniently(folder / "vmcred.toml"))), testing::Succeeds());
  const auto text = read_file(folder / "vmcred.toml", 100000);
  ASSERT_THAT(text, testing::Succeeds());
  EXPECT_THAT(*text, MatchesGolden("check/mended.toml"));
  struct stat status{};
  ASSERT_EQ(::stat((folder / "vmcred.toml").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  for (const Finding& left : check_declaration(*declare::load_leniently(folder / "vmcred.toml")))
    EXPECT_TRUE(left.edits.empty()) << left.message;
}

TEST(Fix, LeavesAPlaceAloneThatHoldsSomethingElse) {
  const TestFolder folder;
  const std::string file = folder.write("a", "x = \"other\"\n");
  Finding each = finding(Code::open_mode, {.file = file, .line = 1, .column = 5}, "x");
  each.edits.push_back({each.place, "0444", "0400"});
  EXPECT_EQ(apply_edits({each}).value_or(99), 0U);
  EXPECT_EQ(read_file(file, 100).value_or(""), "x = \"other\"\n");
}

}  // namespace
}  // namespace vmcred::chain
