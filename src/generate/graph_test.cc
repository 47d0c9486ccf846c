#include "generate/graph.h"

#include "matchers.h"

namespace vmcred::generate {
namespace {

using declare::Declaration;
using declare::Generator;
using declare::Sharing;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::HasSubstr;

Declaration with(std::vector<Generator> generators) {
  Declaration declaration;
  declaration.machines = {{"web", {.name = "web"}}, {"db", {.name = "db"}}};
  for (Generator& generator : generators) {
    if (generator.machines.empty()) generator.machines = {"web", "db"};
    declaration.generators.emplace(generator.name, generator);
  }
  return declaration;
}

std::vector<std::string> order(const Declaration& declaration) {
  std::vector<std::string> names;
  const Graph graph = build_graph(declaration).value();
  for (const Task& task : graph.tasks) names.push_back(store::rel_dir(task.id));
  return names;
}

TEST(Graph, PutsEachAfterWhatItNeedsAndSharedOnesFirst) {
  EXPECT_THAT(
      order(with({{.name = "a", .dependencies = {"z"}}, {.name = "b"}, {.name = "z", .sharing = Sharing::shared}})),
      ElementsAre("shared/z", "per-machine/db/a", "per-machine/db/b", "per-machine/web/a", "per-machine/web/b"));
}

TEST(Graph, DrawsACircle) {
  EXPECT_THAT(build_graph(with({{.name = "a", .dependencies = {"b"}},
                                {.name = "b", .dependencies = {"c"}},
                                {.name = "c", .dependencies = {"a"}},
                                {.name = "d", .dependencies = {"a"}}})),
              FailsWith(Errc::usage, HasSubstr("a -> b -> c -> a")));
}

TEST(Graph, DrawsTheWayToWhatIsNotDeclared) {
  EXPECT_THAT(build_graph(with({{.name = "a", .dependencies = {"b"}},
                                {.name = "b", .dependencies = {"c"}},
                                {.name = "c", .dependencies = {"gone"}}})),
              FailsWith(Errc::not_found, HasSubstr("a -> b -> c -> gone")));
}

TEST(Graph, RefusesWhatCannotHaveOneValue) {
  EXPECT_THAT(build_graph(with({{.name = "a", .sharing = Sharing::shared, .dependencies = {"b"}}, {.name = "b"}})),
              FailsWith(Errc::usage, HasSubstr("cannot be shared")));
  EXPECT_THAT(build_graph(with({{.name = "a", .dependencies = {"bb"}}, {.name = "b"}})),
              FailsWith(Errc::not_found, HasSubstr("'bb', which is not declared")));
  EXPECT_THAT(build_graph(with({{.name = "a", .dependencies = {"b"}}, {.name = "b", .machines = {"web"}}})),
              FailsWith(Errc::usage, HasSubstr("not declared for machine 'db'")));
}

}  // namespace
}  // namespace vmcred::generate
