// vmcred declare: the declaration as vmcred understands it.
#include "declare/load.h"
#include "declare/schema.h"
#include "project/commands.h"
#include "project/project.h"
#include "store/inferred.h"
#include "terminal/answer.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--schema", "print the JSON Schema of declarations instead, for editors"},
};

Result<Exit> run(const Given& given, World& world) {
  if (given.has("schema")) {
    answer_as_it_is(world, declare::json_schema());
    return Exit::done;
  }
  TRY_LET(const declare::Declaration declaration, load_project(world));
  // Whoever kept a guess as his declaration would give access by it.
  if (store::is_inferred(declaration))
    return hint(fail(Errc::not_found,
                     "there is no declaration in '{}': what vars/ and sops/ hold does not say who should read what",
                     world.project),
                "evaluate clan's with --flake REF#HOST, or write a vmcred.toml");
  answer_as_it_is(world, dump_json(declare::to_json(declaration), Indent::two_spaces));
  return Exit::done;
}

}  // namespace

constinit const Command kDeclare = {
    "declare",
    "print the normalised declaration as JSON",
    "Reads vmcred.toml, vmcred.json or host.nix and prints what it means: every default filled in, every\n"
    "name derived, paths absolute. The output is itself a declaration: saved as vmcred.json it means the\n"
    "same. Everything that is wrong with a declaration is named at once, with its place and the remedy.",
    kParameters,
    run,
};

}  // namespace vmcred::app
