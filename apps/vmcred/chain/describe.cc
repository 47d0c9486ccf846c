#include "chain/describe.h"

#include "chain/finding.h"
#include "terminal/answer.h"

namespace vmcred::app {

Result<Exit> describe(const World& world, const std::string& code) {
  const bool all = code == "all";
  if (!all && chain::page(code).empty())
    return hint(fail(Errc::usage, "no finding has the code '{}'", code), "'vmcred check --describe all' lists them");
  for (const chain::CodeInfo& each : chain::codes()) {
    const std::string name = chain::code_name(each.code);
    if (!all && chain::page(name) != chain::page(code)) continue;
    answer_also(world, "codes",
                Json::object()
                    .set("code", name)
                    .set("level", chain::level_name(each.level))
                    .set("summary", each.summary)
                    .set("page", chain::page(name)));
    if (all && !world.json)
      print(world, fmt::format("{}  {:<7}  {}\n", name, chain::level_name(each.level), each.summary));
  }
  if (!all && !world.json) print(world, chain::page(code));
  return Exit::done;
}

}  // namespace vmcred::app
