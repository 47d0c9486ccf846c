// vmcred signatures: who vouches for what is in the store.
#include <algorithm>

#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"
#include "secrets/identity.h"
#include "signatures/commands.h"
#include "signatures/trust.h"
#include "store/signing_files.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "terminal/terminal.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kKeygenParameters[] = {{"--user NAME", "your name in it (default: your login name)"}};
constexpr Parameter kSignParameters[] = {{"[PATH...]", "folders or files of the store (default: everything)"},
                                         {"-y,--yes", "do not ask"},
                                         {"--commit", "commit the change in git"}};
constexpr Parameter kShowParameters[] = {{"PATH", "a folder or file of the store"}};
constexpr std::size_t kMaxSigners = 1024 * 1024;

/// A signed folder as it is typed: below the project, or below where we stand.
Result<std::string> chosen_folder(const std::string& typed, const Project& project) {
  std::string path = typed;
  const std::string prefix = project.declaration.folder + "/";
  if (path.starts_with(prefix)) path = path.substr(prefix.size());
  while (path.starts_with("./")) path = path.substr(2);
  while (path.ends_with('/')) path.pop_back();
  std::string folder = store::signed_folder(path);
  if (!folder.empty() && is_folder(join_path(project.declaration.folder, folder))) return folder;
  return hint(fail(Errc::not_found, "'{}' is no folder that is signed", typed),
              "such are vars/per-machine/MACHINE/GENERATOR, vars/shared/GENERATOR, sops/users/USER and the like");
}

/// The project, with signatures whether or not they are demanded in it.
Result<Project> open_signed_project(const World& world) {
  TRY_LET(Project project, open_project(world));
  TRY_LET(auto signatures, own_signatures(project.declaration.folder, world));
  project.repository.demand(std::move(signatures));
  return project;
}

const store::Signatures& signatures_of(const Project& project) {
  return dynamic_cast<const store::Signatures&>(*project.repository.proof());
}

Result<store::Statement> statement_of(const Project& project, const std::string& folder) {
  TRY_LET(const Fd tree, open_folder(join_path(project.declaration.folder, folder)));
  return store::make_statement(tree, folder);
}

Result<Exit> keygen(const Given& given, World& world) {
  const std::string folder = store::signing_folder(world.environment);
  if (folder.empty())
    return hint(fail(Errc::usage, "there is no place for your key: neither XDG_CONFIG_HOME nor HOME is set"),
                "set one of them");
  TRY(make_folders(folder, 0700));
  const std::string name = given.has("user") ? given.at("user") : login_name(world);
  if (name.find_first_of(" \t\n\"#,") != std::string::npos) return fail(Errc::usage, "'{}' is no name", name);
  TRY_LET(std::optional<age::SshPrivateKey> key, store::own_signing_key(world.environment));
  if (!key) {
    Secret seed = random_secret(32);
    const Ed25519Point point = ed25519_public(seed.bytes());
    key = age::SshPrivateKey{.public_key = age::ssh_public_key(point), .key = std::move(seed)};
    TRY(write_file(folder + "/signing-key", age::print_ssh_private_key(*key, name).text(), 0600));
    note(world, fmt::format("made your signing key in {}/signing-key", folder));
  }
  const std::string line = fmt::format("{} namespaces=\"{},{}\" {}", name, store::kFolderNameSpace,
                                       store::kManifestNameSpace, key->public_key.line());
  const std::string path = folder + "/trusted-signers";
  TRY_LET(const auto trusted, store::own_trusted_signers(world.environment));
  if (!trusted || !trusted->trusts(key->public_key, store::kFolderNameSpace, world.clock->now())) {
    std::string text;
    if (trusted) {
      TRY_LET(text, read_file(path, kMaxSigners));
    }
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    TRY(write_file(path, text + line + "\n", 0600));
    note(world,
         fmt::format("you trust it from now on ({}): what others change has to be signed by somebody in this file",
                     path));
    note(world, "others add this line to theirs, and hosts to /etc/vmcred/trusted-signers:");
  }
  answer_with(world, "user", name);
  answer_with(world, "line", line);
  if (!world.json) print(world, line + "\n");
  return Exit::done;
}

Result<Exit> check(const Given&, World& world) {
  TRY_LET(const Project project, open_signed_project(world));
  TRY_LET(const std::vector<std::string> folders, store::signed_folders(project.repository.root()));
  std::vector<std::vector<std::string>> rows;
  Json list = Json::array();
  bool good = true;
  for (const std::string& folder : folders) {
    const Result<std::string> signer = signatures_of(project).signer(project.repository.root(), folder);
    good = good && signer.has_value();
    Json item = Json::object();
    item.set("folder", folder);
    item.set(signer ? "signer" : "problem", signer ? *signer : signer.error().message);
    list.push(std::move(item));
    if (!signer) rows.push_back({folder, signer.error().message});
    if (signer && world.verbose) rows.push_back({folder, "signed by " + *signer});
  }
  if (world.json) {
    answer_with(world, "folders", std::move(list));
  } else {
    print(world, table(rows));
    if (good) print(world, fmt::format("all {} folders are signed by somebody you trust\n", folders.size()));
  }
  return good ? Exit::done : Exit::findings;
}

Result<Exit> sign(const Given& given, World& world) {
  TRY_LET(const Project project, open_signed_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  std::vector<std::string> folders;
  for (const std::string& typed : given.all("PATH")) {
    TRY_LET(std::string folder, chosen_folder(typed, project));
    folders.push_back(std::move(folder));
  }
  const bool everything = folders.empty();
  if (everything) {
    TRY_LET(folders, store::signed_folders(project.repository.root()));
  }
  std::vector<std::string> unsigned_ones;
  std::vector<store::Contents> seen;
  for (const std::string& folder : folders) {
    const Result<std::string> signer = signatures_of(project).signer(project.repository.root(), folder);
    if (signer) continue;
    print(world, signer.error().message + "\n");
    TRY_LET(store::Statement statement, statement_of(project, folder));
    unsigned_ones.push_back(folder);
    seen.push_back(std::move(statement.contents));
  }
  if (unsigned_ones.empty()) {
    note(world, "nothing to do: everything is signed by somebody you trust");
    if (everything) TRY(end_exemption(project.declaration.folder, world));
    return Exit::done;
  }
  if (!given.has("yes")) {
    TRY_LET(const bool yes, confirm(world, "sign them as they are?"));
    if (!yes) return fail(Errc::denied, "nothing was signed");
  }
  // What he looked at and agreed to, and nothing that somebody put there while he did.
  for (std::size_t i = 0; i < unsigned_ones.size(); ++i)
    TRY(store::sign_as_it_is(project.repository, lock, unsigned_ones[i], seen[i]));
  answer_with(world, "signed", Json::strings(unsigned_ones));
  note(world, fmt::format("signed {} folder{}", unsigned_ones.size(), unsigned_ones.size() == 1 ? "" : "s"));
  if (everything) TRY(end_exemption(project.declaration.folder, world));
  TRY(hand_to_git(project, unsigned_ones, "vars: sign", given.has("commit"), world));
  return Exit::done;
}

Result<Exit> show(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const std::string folder, chosen_folder(given.at("PATH"), project));
  TRY_LET(const store::Statement statement, statement_of(project, folder));
  answer_with(world, "folder", folder);
  answer_with(world, "statement", statement.text);
  if (!world.json) print(world, statement.text);
  return Exit::done;
}

}  // namespace

constinit const Command kSignaturesKeygen = {
    "signatures keygen",
    "make a key to sign with, and demand signatures from now on",
    "Makes an OpenSSH Ed25519 key in ~/.config/vmcred/signing-key, puts it into ~/.config/vmcred/trusted-signers and\n"
    "prints that line for others. With that file, what is read from a project must be signed by somebody in it, and\n"
    "what you change is signed. That goes for every project but those that ~/.config/vmcred/unsigned-projects lists, "
    "one\n"
    "absolute path a line: repositories that clan writes, for one. 'vmcred signatures sign' takes a project off the "
    "list.",
    kKeygenParameters,
    keygen,
};
constinit const Command kSignaturesCheck = {
    "signatures check",
    "find what nobody you trust has signed",
    "Every generator's folder below vars/ and every user, machine, group and secret below sops/ has its own "
    "signature,\n"
    "over its files, links and recipients. Exit code 3 when one is missing or wrong; --verbose names all signers.",
    {},
    check,
};
constinit const Command kSignaturesSign = {
    "signatures sign",
    "vouch for what is stored",
    "Shows what is not signed, or was changed since, and signs it as it is after a yes. For the first time, for what\n"
    "clan or git brought, and after you looked at a change that somebody else made.",
    kSignParameters,
    sign,
};
constinit const Command kSignaturesShow = {
    "signatures show",
    "print what a signature is over",
    "The text that 'ssh-keygen -Y verify -n vmcred -s PATH/.vmcred.sig' wants on its standard input.",
    kShowParameters,
    show,
};

}  // namespace vmcred::app
