#include "chain/describe.h"

#include "chain/finding.h"

namespace vmcred::app {

Result<Exit> describe(const World& world, const std::string& code) {
  if (code == "all") {
    for (const chain::CodeInfo& each : chain::codes())
      print(world,
            fmt::format("{}  {:<7}  {}\n", chain::code_name(each.code), chain::level_name(each.level), each.summary));
    return Exit::done;
  }
  const std::string_view page = chain::page(code);
  if (page.empty())
    return hint(fail(Errc::usage, "no finding has the code '{}'", code), "'vmcred check --describe all' lists them");
  print(world, page);
  return Exit::done;
}

}  // namespace vmcred::app
