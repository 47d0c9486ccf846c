#include "store/layout.h"

#include "matchers.h"

namespace vmcred::store {
namespace {

using declare::Declaration;
using declare::Sharing;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::HasSubstr;

Declaration two_machines() {
  Declaration declaration;
  declaration.machines = {{"web", {.name = "web"}}, {"db", {.name = "db"}}};
  declaration.vms = {{"vm-a", {.name = "vm-a", .machine = "db"}}};
  declaration.generators = {
      {"each", {.name = "each", .machines = {"web", "db"}, .files = {{"key", {.name = "key"}}}}},
      {"all",
       {.name = "all",
        .sharing = Sharing::shared,
        .machines = {"web", "db"},
        .files = {{"key", {.name = "key"}}, {"private", {.name = "private", .deploy = false}}}}},
      {"vm", {.name = "vm", .sharing = Sharing::per_vm, .vms = {"vm-a"}, .files = {{"key", {.name = "key"}}}}}};
  return declaration;
}

std::vector<std::string> paths(const std::vector<Wanted>& values) {
  std::vector<std::string> list;
  for (const Wanted& value : values) list.push_back(rel_path(value.id));
  return list;
}

TEST(Layout, HasClansPathsAndOneForVms) {
  EXPECT_THAT(paths(wanted(two_machines())), ElementsAre("per-machine/db/each/key", "per-machine/web/each/key",
                                                         "shared/all/key", "shared/all/private", "per-vm/vm-a/vm/key"));
}

TEST(Layout, DeploysToAMachineWhatIsItsOwnSharedOrOfItsVms) {
  EXPECT_THAT(paths(wanted_on(two_machines(), "db")),
              ElementsAre("per-machine/db/each/key", "shared/all/key", "per-vm/vm-a/vm/key"));
  EXPECT_THAT(paths(wanted_on(two_machines(), "web")), ElementsAre("per-machine/web/each/key", "shared/all/key"));
}

TEST(Layout, ResolvesAReferenceForAVmThroughItsHost) {
  const Declaration declaration = two_machines();
  const auto& vm = declaration.vms.at("vm-a");
  EXPECT_EQ(rel_path(*resolve_for_vm(declaration, {"each", "key"}, vm)), "per-machine/db/each/key");
  EXPECT_EQ(rel_path(*resolve_for_vm(declaration, {"vm", "key"}, vm)), "per-vm/vm-a/vm/key");
}

TEST(Layout, NamesWhatIsNotDeclared) {
  EXPECT_THAT(resolve(two_machines(), {"eech", "key"}, "db"), FailsWith(Errc::not_found, HasSubstr("'eech'")));
  EXPECT_THAT(resolve(two_machines(), {"each", "kay"}, "db"), FailsWith(Errc::not_found, HasSubstr("'kay'")));
  EXPECT_THAT(resolve(two_machines(), {"vm", "key"}, "db"), FailsWith(Errc::usage, HasSubstr("each of its vms")));
}

}  // namespace
}  // namespace vmcred::store
