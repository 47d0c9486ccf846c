// vmcred import: secrets of agenix and sops-nix become vars, for the same readers.
#include "adopt/adopt.h"
#include "commands.h"
#include "trust.h"
#include "declare/load.h"
#include "project.h"
#include "sops/lookup.h"
#include "vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kAgenixParameters[] = {
    {"PATH", "agenix's secrets.nix, or its folder"},
    {"--host NAME...", "this key belongs to a machine, not to a person"},
    {"--commit", "commit the change in git"},
};
constexpr Parameter kSopsParameters[] = {
    {"PATH", "a sops file (yaml, json, dotenv or binary), or a folder with some"},
    {"--host NAME...", "this key belongs to a machine, not to a person"},
    {"--commit", "commit the change in git"},
};

/// The language of the project's declaration: what is printed is to be put into it.
adopt::Language language_of(const World& world) {
  const auto file = declare::find_declaration(world.project);
  return !world.nix.empty() || (file && file->ends_with(".nix")) ? adopt::Language::nix : adopt::Language::toml;
}

/// Found, with what was left out said; nothing found at all is an error.
Result<adopt::Found> said(Result<adopt::Found> found, const World& world) {
  if (!found) return found;
  for (const Error& error : found->left_out) note(world, fmt::format("left out: {}", error.message));
  if (!found->secrets.empty()) return found;
  if (!found->left_out.empty()) {
    return hint(fail(Errc::denied, "none of the {} secrets could be read", found->left_out.size()),
                "your key must be among their recipients: ~/.ssh/id_ed25519, SOPS_AGE_KEY_FILE or the keys.txt of sops");
  }
  return fail(Errc::not_found, "no secrets are there");
}

Result<Exit> store_all(Result<adopt::Found> read, const Given& given, const World& world) {
  TRY_LET(adopt::Found found, said(std::move(read), world));
  const bool complete = found.left_out.empty();
  const std::size_t count = found.secrets.size();
  Project project;
  project.declaration.folder = world.project;
  TRY_LET(project.repository, open_store(world.project, world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  adopt::Wishes wishes{.machines = given.all("host"), .machine = world.machine};
  TRY_LET(const adopt::Adoption adoption, adopt::adopt(project.repository, lock, std::move(found), wishes));
  for (const std::string& user : adoption.users) note(world, fmt::format("added the user '{}'", user));
  for (const std::string& machine : adoption.machines) note(world, fmt::format("added the machine '{}'", machine));
  for (const std::string& var : adoption.kept) note(world, fmt::format("kept {}: it is stored already", var));
  const std::size_t imported = count - adoption.kept.size();
  note(world, fmt::format("imported {} secret{}; their declaration is on stdout: put it into {}", imported, imported == 1 ? "" : "s",
                          language_of(world) == adopt::Language::nix ? "host.nix" : "vmcred.toml"));
  print_bytes(world, adopt::declaration_text(adoption, language_of(world)));
  TRY(hand_to_git(project, adoption.paths, "vars: import secrets", given.has("commit"), world));
  return complete ? Exit::done : Exit::findings;
}

Result<Exit> run_agenix(const Given& given, World& world) {
  const age::Identities identities = sops::find_identities(world.environment).identities();
  return store_all(adopt::read_agenix(given.at("PATH"), identities, nix_settings(world)), given, world);
}

Result<Exit> run_sops_nix(const Given& given, World& world) {
  const age::Identities identities = sops::find_identities(world.environment).identities();
  return store_all(adopt::read_sops_nix(given.at("PATH"), identities), given, world);
}

}  // namespace

constinit const Command kImportAgenix = {
    "import agenix",
    "make vars of agenix's secrets, for the same readers",
    "Reads secrets.nix, decrypts every .age file with your key, and stores each as a var that exactly its\n"
    "recipients can read. Keys that no user or machine of the project has get one: named after the comment\n"
    "of an SSH key (root@web is the machine web) or after their name in secrets.nix. What is to be declared\n"
    "is printed: 'vmcred import agenix secrets >>vmcred.toml'. Exit 3 when some secrets were left out.",
    kAgenixParameters,
    run_agenix,
};

constinit const Command kImportSopsNix = {
    "import sops-nix",
    "make vars of the values in sops files, for the same readers",
    "Decrypts sops files with your age or SSH key and stores every encrypted value as a var that exactly the\n"
    "file's age recipients can read. A file becomes a generator, each value in it one of its files. Keys get\n"
    "the names of their anchors in .sops.yaml: &admin_alice is the user alice, &server_web the machine web.\n"
    "What is to be declared is printed: 'vmcred import sops-nix secrets >>vmcred.toml'.",
    kSopsParameters,
    run_sops_nix,
};

}  // namespace vmcred::app
