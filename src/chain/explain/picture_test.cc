// Pictures of chains: what stands in them, where findings hang, and that no name can become markup.
#include "chain/explain/picture.h"

#include <algorithm>

#include "chain/check.h"
#include "chain/explain/view.h"
#include "matchers.h"

namespace vmcred::chain::explain {
namespace {

using testing::HasSubstr;
using testing::MatchesGolden;
using ::testing::Not;
using testing::TestFolder;

constexpr std::string_view kToml = R"([machines.host]
[machines.other]
[generators.base]
share = true
files.seed = {}
[generators.web-secrets]
machines = ["host"]
dependencies = ["base"]
files.key = {}
files.two = { mode = "0444" }
[vms.web]
machine = "host"
guest.agent = true
credentials.key = { from = "web-secrets/key", services = ["app", "proxy"] }
credentials.two = { from = "web-secrets/two", services = ["app"] }
credentials.env = { value = "production", services = ["app"] }
credentials.root = { from = "/etc/keys", guest = "ssh.authorized_keys.root" }
[vms.mail]
machine = "host"
credentials.key = { from = "web-secrets/key" }
)";

store::VarId var(const std::string& file) { return {{{declare::Sharing::per_machine, "host"}, "web-secrets"}, file}; }

/// What a machine could have looked like: one value fresh and activated, one stale.
Seen seen_world() {
  Seen seen;
  seen.generation = 7;
  seen.vars[var("key")] = {.state = "fresh",
                           .made = "2026-11-26T10:00:00Z",
                           .form = store::Form::secret,
                           .size = 44,
                           .readers = {"machine host", "user alice"},
                           .activated = true};
  seen.vars[var("two")] = {
      .state = "stale", .reasons = {"its script changed"}, .form = store::Form::secret, .size = 12, .activated = false};
  seen.running["web"] = {.vm = "web",
                         .state = supervise::VmState::running,
                         .supervisor = 1,
                         .generation = 3,
                         .expected_generation = 3,
                         .receipts = {{"KEY", "received", 44, {{"app.service", "active"}, {"proxy.service", "failed"}}},
                                      {"TWO", "truncated", 5}}};
  return seen;
}

Picture picture_of(std::string_view toml, const Seen& seen, const std::string& vm = {}) {
  declare::Reading reading = declare::read_toml(toml, "vmcred.toml");
  reading.declaration.folder = "/home/me/project";
  auto made = picture(reading.declaration, seen, check_declaration(reading), vm);
  EXPECT_THAT(made, testing::Succeeds());
  return std::move(made).value_or(Picture{});
}

const Chain& chain_in(const Picture& picture, const std::string& vm, const std::string& guest) {
  const auto found = std::ranges::find(picture.vms, vm, &Chains::vm);
  return *std::ranges::find(found->chains, guest, &Chain::guest);
}

Mood mood_at(const Picture& picture, const std::string& vm, const std::string& guest, Step step) {
  const Chains& chains = *std::ranges::find(picture.vms, vm, &Chains::vm);
  const std::vector<Station> all = stations(picture, chains, chain_in(picture, vm, guest));
  return std::ranges::find(all, step, &Station::step)->mood;
}

TEST(Explain, DrawsEveryChainOfAVm) {
  EXPECT_THAT(picture_text(picture_of(kToml, seen_world(), "web"), {}), MatchesGolden("explain/wide.txt"));
}

TEST(Explain, LeavesOutWhatFollowsFromTheRestWhereThereIsLessRoom) {
  EXPECT_THAT(picture_text(picture_of(kToml, seen_world(), "web"), {.width = 90}), MatchesGolden("explain/medium.txt"));
}

TEST(Explain, DrawsOneBelowTheOtherWhereThereIsNoRoom) {
  const std::string text = picture_text(picture_of(kToml, seen_world(), "web"), {.width = 60});
  EXPECT_THAT(text, MatchesGolden("explain/narrow.txt"));
}

TEST(Explain, FollowsOneCredentialByAnyOfItsNames) {
  const Picture picture = picture_of(kToml, seen_world(), "web");
  const auto text = chain_text(picture, "two", {});
  ASSERT_THAT(text, testing::Succeeds());
  EXPECT_THAT(*text, MatchesGolden("explain/two.txt"));
  EXPECT_EQ(*chain_text(picture, "TWO", {}), *text);
  EXPECT_EQ(*chain_text(picture, "host-two", {}), *text);
  const auto unknown = chain_text(picture, "tvo", {});
  EXPECT_THAT(unknown, testing::FailsWith(Errc::not_found, HasSubstr("'tvo'")));
  EXPECT_EQ(unknown.error().hint, "did you mean 'two'?");
}

TEST(Explain, IsDataForPrograms) {
  EXPECT_THAT(dump_json(picture_json(picture_of(kToml, seen_world(), "web")), Indent::two_spaces),
              MatchesGolden("explain/web.json"));
}

TEST(Explain, IsAGraphForDot) {
  EXPECT_THAT(picture_dot(picture_of(kToml, seen_world(), "web")), MatchesGolden("explain/web.dot"));
}

TEST(Explain, TellsHowEachStepFares) {
  const Picture picture = picture_of(kToml, seen_world());
  EXPECT_EQ(mood_at(picture, "web", "KEY", Step::store), Mood::fine);
  EXPECT_EQ(mood_at(picture, "web", "KEY", Step::host), Mood::fine);
  EXPECT_EQ(mood_at(picture, "web", "KEY", Step::guest), Mood::arrived) << "one of its services has failed";
  EXPECT_EQ(mood_at(picture, "web", "TWO", Step::store), Mood::warning);
  EXPECT_EQ(mood_at(picture, "web", "TWO", Step::host), Mood::unknown);
  EXPECT_EQ(mood_at(picture, "web", "TWO", Step::guest), Mood::broken);
  EXPECT_EQ(mood_at(picture, "web", "KEY", Step::service), Mood::broken) << "proxy.service has failed";
  EXPECT_EQ(mood_at(picture, "mail", "KEY", Step::guest), Mood::unknown);
  EXPECT_EQ(mood_at(picture, "mail", "KEY", Step::service), Mood::unknown);
}

TEST(Explain, TellsAGuestThatHoldsOlderValues) {
  Seen seen = seen_world();
  seen.running["web"].expected_generation = 4;
  EXPECT_EQ(mood_at(picture_of(kToml, seen), "web", "KEY", Step::guest), Mood::warning);
}

TEST(Explain, HangsFindingsWhereTheyBelong) {
  const Picture picture = picture_of(kToml, seen_world());
  const auto codes_of = [&](const std::string& vm, const std::string& guest) {
    std::string codes;
    for (const Mark& mark : chain_in(picture, vm, guest).marks)
      codes += fmt::format("{} {},", step_name(mark.step), code_name(picture.findings[mark.finding].code));
    return codes;
  };
  EXPECT_EQ(codes_of("web", "TWO"), "store VC007,");
  EXPECT_EQ(codes_of("web", "KEY"), "");
  EXPECT_EQ(codes_of("mail", "KEY"), "service VC017,");
  EXPECT_TRUE(picture.elsewhere.empty());
  // A picture of one vm leaves out what concerns the others alone.
  EXPECT_EQ(picture_of(kToml, seen_world(), "mail").findings.size(), 1U);
}

TEST(Explain, TellsTheValuesOfOneGeneratorApart) {
  const declare::Reading reading = declare::read_toml(
      "[machines.host]\n[generators.g]\nvms = [\"a\", \"b\"]\nfiles.key = {}\n"
      "[vms.a]\ncredentials.key = { from = \"g/key\", services = [\"s\"] }\n[vms.b]\ncredentials.key = { from = "
      "\"g/key\", services = [\"s\"] }\n",
      "vmcred.toml");
  Finding each =
      finding(Code::not_generated, reading.declaration.generators.at("g").files.at("key").place, "never generated");
  each.subject = "per-vm/b/g/key";
  const auto made = picture(reading.declaration, {}, {each}, "");
  ASSERT_THAT(made, testing::Succeeds());
  EXPECT_TRUE(chain_in(*made, "a", "KEY").marks.empty());
  EXPECT_EQ(chain_in(*made, "b", "KEY").marks.size(), 1U);
}

TEST(Explain, ShowsWhatABrokenDeclarationStillSays) {
  const Picture picture = picture_of(
      "[machines.host]\n[generators.web-secrets]\nfiles.key = {}\n[vms.web]\nload-credential = "
      "[\"host-key:web-secrets/key\"]\n"
      "credential-files = [\"host-key\", \"host-kei\"]\nguest.services.app.load-credential = [\"key:HOST_KEY\", "
      "\"key:KEY\"]\n",
      {});
  ASSERT_EQ(picture.vms.size(), 1U);
  ASSERT_EQ(picture.vms[0].loose.size(), 1U);
  EXPECT_EQ(picture.vms[0].loose[0].guest, "HOST_KEY");
  EXPECT_EQ(picture.vms[0].findings.size(), 1U) << "the wrong guest name";
  EXPECT_EQ(chain_in(picture, "web", "KEI").origin, Origin::none);
  EXPECT_EQ(mood_at(picture, "web", "KEI", Step::host), Mood::broken);
  EXPECT_EQ(chain_in(picture, "web", "KEI").marks.size(), 1U) << "not loaded";
  EXPECT_THAT(picture_text(picture, {}), HasSubstr("app loads 'HOST_KEY' as 'key', which the vm does not receive"));
}

TEST(Explain, NamesTheNearestVm) {
  const declare::Reading reading = declare::read_toml(kToml, "vmcred.toml");
  const auto made = picture(reading.declaration, {}, {}, "wep");
  EXPECT_THAT(made, testing::FailsWith(Errc::not_found, HasSubstr("no vm 'wep'")));
  EXPECT_EQ(made.error().hint, "did you mean 'web'?");
}

TEST(Explain, NeverHoldsAValue) {
  const Picture picture = picture_of(kToml, seen_world());
  for (const std::string& text :
       {picture_text(picture, {}), picture_dot(picture), picture_html(picture, "1"), dump_json(picture_json(picture))})
    EXPECT_THAT(text, Not(HasSubstr("production")));
}

TEST(Explain, LetsNoNameMoveTheCursorOrBecomeMarkup) {
  Picture picture = picture_of(kToml, seen_world(), "web");
  Chain& chain = picture.vms[0].chains[0];
  chain.source = "/etc/</script><script>alert(1)</script>\x1b[2J";
  chain.generator = "<img src=x onerror=alert(1)>\x1b[2J";
  chain.consumers = {{"</ScRiPt><b>", "\"x\\"}};
  picture.folder = "/tmp/{{script}}<!--";
  const std::string page = picture_html(picture, "1");
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
  EXPECT_EQ(page.find("<!--"), std::string::npos);
  EXPECT_THAT(page, HasSubstr("\"/tmp/{{script}}\\u003c!--\""));
  EXPECT_THAT(picture_dot(picture), HasSubstr("</ScRiPt><b>.service"));
  for (const Screen& screen : {Screen{}, Screen{.width = 60}})
    EXPECT_EQ(picture_text(picture, screen).find('\x1b'), std::string::npos);
}

TEST(Explain, ThePageNamesTheHashOfAllThatRuns) {
  const std::string page = picture_html(picture_of(kToml, seen_world()), "1.2.3");
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, HasSubstr("Drawn by vmcred 1.2.3"));
  EXPECT_EQ(page.find("{{"), std::string::npos);
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org/2000/svg")) << "no address but a namespace";
}

TEST(Explain, OnlyLooksAtWhatIsThere) {
  const TestFolder folder;
  folder.write("vmcred.toml", kToml);
  const auto repository = store::Repository::open(folder.path());
  ASSERT_THAT(repository, testing::Succeeds());
  const declare::Reading reading = declare::read_toml(kToml, folder / "vmcred.toml");
  const auto seen =
      look(reading.declaration, *repository, real_clock(), {.generations = folder / "d", .link = folder / "vars"});
  ASSERT_THAT(seen, testing::Succeeds());
  EXPECT_FALSE(seen->generation);
  ASSERT_TRUE(seen->vars.contains(var("key")));
  EXPECT_EQ(seen->vars.at(var("key")).state, "missing");
  EXPECT_FALSE(seen->vars.at(var("key")).activated);
}

}  // namespace
}  // namespace vmcred::chain::explain
