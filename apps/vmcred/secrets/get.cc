// vmcred secrets list and get: every secret that is stored, also those that no generator makes.
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "secrets/access.h"
#include "secrets/commands.h"
#include "store/address.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

constexpr Parameter kGetParameters[] = {
    {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE), or a name below sops/secrets"}};

Result<Exit> list(const Given&, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> folders;
  for (const store::SecretPlace& place : places) {
    rows.push_back({place.name()});
    folders.push_back(place.folder);
  }
  if (world.json) {
    answer_with(world, "secrets", Json::strings(folders));
  } else {
    print(world, table(rows));
  }
  return Exit::done;
}

Result<Exit> get(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::SecretPlace chosen, chosen_secret(given.at("SECRET"), project));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(const Secret value, store::read_secret_place(project.repository, chosen, keys));
  if (world.json) {
    TRY(in("print the value",
           answer_with_secret(world, Json::object().set("secret", store::address_of(chosen)), value)));
    return Exit::done;
  }
  const Fd out(::dup(world.out));
  TRY(in("print the value", write_all(out, value.text())));
  return Exit::done;
}

}  // namespace

constinit const Command kSecretsList = {"secrets list",
                                        "show every stored secret",
                                        "Values of generators, clan's exports, and what is below sops/secrets.",
                                        {},
                                        list};
constinit const Command kSecretsGet = {"secrets get", "print a stored secret",
                                       "Byte for byte, also one that no declaration names.", kGetParameters, get};

}  // namespace vmcred::app
