#include "vm/project_for_vm.h"

#include <map>

#include "project/project.h"

namespace vmcred::app {
namespace {

/// The vm in whose table a problem stands; "" where it stands in none. A pointer says it, and else the words with which
/// every message of a table begins (declare/reader.h).
std::string vm_of(const declare::Problem& problem) {
  constexpr std::string_view kPointer = "/vms/";
  constexpr std::string_view kLabel = "vm '";
  const auto until = [](std::string_view text, char end) { return std::string(text.substr(0, text.find(end))); };
  if (std::string_view(problem.place.pointer).starts_with(kPointer))
    return until(std::string_view(problem.place.pointer).substr(kPointer.size()), '/');
  if (std::string_view(problem.message).starts_with(kLabel))
    return until(std::string_view(problem.message).substr(kLabel.size()), '\'');
  return {};
}

}  // namespace

Result<declare::Declaration> load_project_for_vm(const World& world, const std::string& name) {
  TRY_LET(declare::Reading reading, load_project_leniently(world));
  std::map<std::string, std::vector<declare::Problem>> of_vms;
  std::vector<declare::Problem> of_all;
  for (declare::Problem& each : reading.problems) {
    const std::string vm = vm_of(each);
    (vm.empty() ? of_all : of_vms[vm]).push_back(std::move(each));
  }
  if (!of_all.empty()) return std::unexpected(declare::to_error(of_all));
  if (const auto own = of_vms.find(name); own != of_vms.end()) return std::unexpected(declare::to_error(own->second));
  for (const auto& [vm, problems] : of_vms) {
    note(world, fmt::format("vm '{}' is left out: {}", vm, declare::to_error(problems).message));
    reading.declaration.vms.erase(vm);
  }
  return std::move(reading).declaration;
}

}  // namespace vmcred::app
