#include "generate/spoken.h"

namespace vmcred::generate {

std::string spoken(const std::vector<const Task*>& tasks) {
  constexpr std::size_t kNamed = 4;
  if (tasks.size() == 1) return store::spoken(tasks.front()->id);
  const bool vms = tasks.front()->id.placement.sharing == declare::Sharing::per_vm;
  std::string names;
  for (std::size_t i = 0; i < tasks.size() && (i + 1 < kNamed || tasks.size() <= kNamed); ++i)
    names += (i == 0 ? "" : ", ") + tasks[i]->id.placement.owner;
  return fmt::format("{} ({} {}: {}{})", tasks.front()->id.generator, tasks.size(), vms ? "vms" : "machines", names,
                     tasks.size() > kNamed ? ", …" : "");
}

}  // namespace vmcred::generate
