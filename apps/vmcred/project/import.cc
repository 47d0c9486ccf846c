// vmcred import: secrets of agenix and sops-nix become vars, for the same readers.
#include <algorithm>
#include <set>

#include "adopt/adopt.h"
#include "declare/load.h"
#include "project/commands.h"
#include "project/project.h"
#include "secrets/widen.h"
#include "signatures/trust.h"
#include "sops/lookup.h"
#include "store/key_ring.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kHost = {"--host NAME...",
                             "this key belongs to a machine, not to a person; NAME=KEY names a key that has no name"};
constexpr Parameter kRename = {"--rename OLD=NEW...",
                               "what a secret shall be called: OLD as it is shown, NEW a name or GENERATOR/FILE"};

constexpr Parameter kAgenixParameters[] = {
    {"PATH", "agenix's secrets.nix, or its folder"}, kHost, kRename, kWiden, {"--commit", "commit the change in git"},
};
constexpr Parameter kSopsParameters[] = {
    {"PATH", "a sops file (yaml, json, dotenv or binary), or a folder with some"},
    kHost,
    kRename,
    {"--commit", "commit the change in git"},
};

/// Keys as every command finds them, and why some could not be used.
Result<sops::Lookup> keys_of(const World& world) {
  sops::Lookup lookup =
      sops::find_identities(world.environment, store::plugins_of(world.environment, plugin_prompts()));
  if (!lookup.wrong.empty()) return std::unexpected(std::move(lookup.wrong.front()));
  return lookup;
}

Result<adopt::Wishes> wishes_of(const Given& given) {
  adopt::Wishes wishes;
  for (const std::string& host : given.all("host")) {
    const std::size_t equals = host.find('=');
    wishes.machines[host.substr(0, equals)] = equals == std::string::npos ? "" : host.substr(equals + 1);
  }
  for (const std::string& both : given.all("rename")) {
    const std::size_t equals = both.rfind('=');
    if (equals == std::string::npos)
      return hint(fail(Errc::usage, "--rename '{}' names nothing new", both), "write --rename OLD=NEW");
    wishes.names[both.substr(0, equals)] = both.substr(equals + 1);
  }
  return wishes;
}

/// What the project declares, as far as there is something and it can be read.
struct Declared {
  adopt::Language language = adopt::Language::toml;
  std::string host = {};  ///< of a host.nix
  std::set<std::string> machines = {};
};

Declared declared(const World& world) {
  Declared known;
  const auto file = declare::find_declaration(world.project);
  if (!world.nix.empty() || (file && file->ends_with(".nix"))) known.language = adopt::Language::nix;
  if (!file && world.nix.empty()) return known;
  const auto reading = load_project_leniently(world);
  if (!reading) return known;
  for (const auto& [name, machine] : reading->declaration.machines) known.machines.insert(name);
  if (known.language == adopt::Language::nix && known.machines.size() == 1) known.host = *known.machines.begin();
  return known;
}

/// Who is named for a file and is perhaps none of its readers: by the rule of widen.h. Where it says no they stay
/// outside.
Result<bool> may_read_more(const adopt::Found& found, const Given& given, const World& world) {
  std::vector<std::string> lines;
  for (const adopt::Foreign& secret : found.secrets)
    for (const std::string& key : secret.unproven) {
      const auto known = found.names.find(key);
      lines.push_back(fmt::format("{}: {}",
                                  known == found.names.end() || known->second.name.empty() ? key : known->second.name,
                                  secret.source));
    }
  if (lines.empty() || given.has("widen")) return !lines.empty();
  note(world, "named for a file that was perhaps never encrypted to them:");
  for (const std::string& line : lines) note(world, "  " + line);
  const Result<bool> yes = confirm(world, "shall they read it from now on?");
  return yes && *yes;
}

void tell(const adopt::Adoption& adoption, const sops::Lookup& keys, const World& world) {
  World loud = world;
  loud.quiet = false;
  for (const std::string& each : adoption.notes) note(world, each);
  bool denied = false;
  for (const adopt::LeftOut& each : adoption.left_out) {
    answer_also(
        world, "left_out",
        Json::object().set("source", each.source).set("error", each.error.message).set("hint", each.error.hint));
    note(loud, fmt::format("left out: '{}': {}", each.source, each.error.message));
    if (!each.error.hint.empty()) note(loud, "  " + each.error.hint);
    denied = denied || each.error.code == Errc::denied;
  }
  if (denied)
    for (const Error& problem : keys.problems) {
      note(loud, fmt::format("a key that could not be used: {}", problem.message));
      if (!problem.hint.empty()) note(loud, "  " + problem.hint);
    }
  for (const std::string& user : adoption.users) note(world, fmt::format("added the user '{}'", user));
  for (const std::string& machine : adoption.machines) note(world, fmt::format("added the machine '{}'", machine));
  if (adoption.kept.empty()) return;
  constexpr std::size_t kShown = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(kShown, adoption.kept.size()); ++i)
    names += (i == 0 ? "" : ", ") + adoption.kept[i];
  if (adoption.kept.size() > kShown) names += fmt::format(" and {} more", adoption.kept.size() - kShown);
  note(world, fmt::format("kept {}: stored already", names));
}

std::string plural_of(std::size_t count) { return fmt::format("{} secret{}", count, count == 1 ? "" : "s"); }

Result<Exit> store_all(adopt::Found found, const sops::Lookup& keys, const Given& given, const World& world) {
  TRY_LET(adopt::Wishes wishes, wishes_of(given));
  if (found.secrets.empty() && found.left_out.empty()) return fail(Errc::not_found, "no secrets are there");
  TRY_LET(wishes.widen, may_read_more(found, given, world));
  const bool none = found.secrets.empty();
  Project project;
  project.declaration.folder = world.project;
  TRY_LET(project.repository, open_store(world.project, world));
  TRY_LET(const adopt::Adoption adoption, adopt::plan_adoption(project.repository, std::move(found), wishes));
  tell(adoption, keys, world);
  if (none)
    return hint(
        fail(Errc::denied, "none of the {} could be read", plural_of(adoption.left_out.size())),
        "your key must be among their recipients: ~/.ssh/id_ed25519, SOPS_AGE_KEY_FILE or the keys.txt of sops");
  const Exit exit = adoption.left_out.empty() ? Exit::done : Exit::findings;
  if (adoption.count() == 0) {
    note(world, "nothing new to import");
    return exit;
  }
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY(adopt::carry_out(project.repository, lock, adoption));
  const Declared known = declared(world);
  std::set<std::string> undeclared;
  for (const adopt::Adopted& each : adoption.generators)
    for (const std::string& machine : each.machines)
      if (!known.machines.contains(machine)) undeclared.insert(machine);
  note(world, fmt::format("imported {}; their declaration is on stdout: put it into {}", plural_of(adoption.count()),
                          known.language == adopt::Language::nix ? "host.nix" : "vmcred.toml"));
  const std::string text =
      adopt::declaration_text(adoption, known.language, {undeclared.begin(), undeclared.end()}, known.host);
  answer_with(world, "language", known.language == adopt::Language::nix ? "nix" : "toml");
  answer_with(world, "declaration", text);
  if (!world.json) print_bytes(world, text);
  for (const adopt::Adopted& each : adoption.generators)
    for (const adopt::AdoptedFile& file : each.files)
      answer_also(world, "imported", fmt::format("{}/{}", each.generator, file.name));
  std::vector<std::string> paths;
  for (const store::FolderChange& each : adoption.changes) paths.push_back(each.folder);
  TRY(hand_to_git(project, paths, "vars: import secrets", given.has("commit"), world));
  return exit;
}

Result<Exit> run_agenix(const Given& given, World& world) {
  TRY_LET(const sops::Lookup keys, keys_of(world));
  TRY_LET(adopt::Found found, adopt::read_agenix(given.at("PATH"), keys.identities(), nix_settings(world)));
  return store_all(std::move(found), keys, given, world);
}

Result<Exit> run_sops_nix(const Given& given, World& world) {
  TRY_LET(const sops::Lookup keys, keys_of(world));
  TRY_LET(adopt::Found found, adopt::read_sops_nix(given.at("PATH"), keys.identities()));
  return store_all(std::move(found), keys, given, world);
}

}  // namespace

constinit const Command kImportAgenix = {
    "import agenix",
    "make vars of agenix's secrets, for the same readers",
    "Reads secrets.nix, decrypts every .age file with your key, and stores each as a var that exactly its\n"
    "recipients can read; all of them in one step. Keys that no user or machine of the project has get one:\n"
    "named after the comment of an SSH key (root@web is the machine web) or after their name in secrets.nix.\n"
    "What is to be declared is printed: 'vmcred import agenix secrets >>vmcred.toml'. A second run, or a\n"
    "colleague's, adds what is new. Whoever secrets.nix names and the file was never encrypted to does not\n"
    "become a reader, unless --widen says so. Exit 3 when some secrets were left out: each is named, with the\n"
    "reason and what to do.",
    kAgenixParameters,
    run_agenix,
};

constinit const Command kImportSopsNix = {
    "import sops-nix",
    "make vars of the values in sops files, for the same readers",
    "Decrypts sops files with your age or SSH key and stores every value as a var that exactly the file's age\n"
    "recipients can read; all of them in one step. A file becomes a generator, each value in it one of its\n"
    "files; values that stand in the clear become public ones. Keys get the names of their anchors in\n"
    ".sops.yaml: &admin_alice is the user alice, &server_web the machine web. What is to be declared is\n"
    "printed: 'vmcred import sops-nix secrets >>vmcred.toml'. A second run adds what is new. Exit 3 when some\n"
    "secrets were left out: each is named, with the reason and what to do.",
    kSopsParameters,
    run_sops_nix,
};

}  // namespace vmcred::app
