// vmcred init: starts a project in a folder.
#include <unistd.h>

#include <algorithm>

#include "age/keys.h"
#include "base/file.h"
#include "commands.h"
#include "declare/load.h"
#include "declare/names.h"
#include "store/vault.h"
#include "vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--user NAME", "your name among the project's users (default: your login name)"},
};

constexpr std::string_view kDeclaration = R"toml(# The declaration of this project: what secrets there are, and which vm gets them.
# 'vmcred vars generate' makes them, 'vmcred check' looks at everything, 'vmcred declare' shows what it means.

[machines.{0}]

# [generators.my-vm-secrets]
# runtime-inputs = ["openssl"]
# script = '''
# openssl rand -base64 32 | tr -d '\n' > "$out/secret-key"
# '''
# files.secret-key = {{}}

# [vms.my-vm]
# machine = "{0}"
# kernel = "guest/vmlinuz"
# initrd = "guest/initrd"

# [vms.my-vm.credentials]
# secret-key = {{ from = "my-vm-secrets/secret-key", services = ["my-service"] }}
)toml";

/// A name made of what is given: other characters become '-'.
std::string tamed(std::string_view text, std::string_view fallback) {
  std::string name;
  for (const char c : text.substr(0, text.find('.'))) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool good = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (good || !name.empty()) name += good ? lower : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? std::string(fallback) : name;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "host";
  return tamed(name, "host");
}

std::string login_name(const World& world) {
  std::string name = world.env("USER");
  if (name.empty()) name = world.env("LOGNAME");
  name = tamed(name, "admin").substr(0, 32);
  return name.front() >= '0' && name.front() <= '9' ? "admin" : name;
}

/// Makes a key where none is found; the file is the one that sops and clan look for.
Result<store::KeyRing> own_keys(const World& world) {
  TRY_LET(store::KeyRing keys, store::KeyRing::of_operator(world.environment));
  if (!keys.empty()) return keys;
  const std::string path = store::operator_key_path(world.environment);
  if (!path.starts_with('/'))
    return hint(fail(Errc::usage, "there is no place for your private key: neither XDG_CONFIG_HOME nor HOME is set"),
                "set one of them, or name your key's file in SOPS_AGE_KEY_FILE");
  const age::KeyPair pair = age::generate_key_pair();
  const std::string head = fmt::format("# created: {}\n# public key: {}\n", rfc3339(world.clock->now()), pair.recipient);
  Secret text(head.size() + pair.identity.size() + 1);
  auto end = std::ranges::copy(bytes_of(head), text.writable().begin()).out;
  end = std::ranges::copy(pair.identity.bytes(), end).out;
  *end = '\n';
  TRY(make_folders(path.substr(0, path.rfind('/')), 0700));
  TRY(write_file(path, text.text(), 0600));
  note(world, fmt::format("made your private key in {}: keep a copy in a safe place", path));
  return store::KeyRing::of_operator(world.environment);
}

Result<> write_declaration(const World& world, const std::string& folder) {
  const Result<std::string> present = declare::find_declaration(folder);
  if (present) {
    note(world, fmt::format("kept {}", *present));
    return {};
  }
  if (present.error().code != Errc::not_found) return std::unexpected(present.error());
  const std::string machine = world.machine.empty() ? host_name() : world.machine;
  TRY(store::check_machine_name(machine));
  const std::string path = join_path(folder, "vmcred.toml");
  TRY(write_file(path, fmt::format(fmt::runtime(kDeclaration), machine), 0644));
  note(world, fmt::format("wrote {} with the machine '{}'", path, machine));
  return {};
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const store::KeyRing keys, own_keys(world));
  TRY(make_folders(world.project));
  TRY(write_declaration(world, world.project));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (const Result<std::string> user = principals.user_of(keys)) {
    note(world, fmt::format("you are the user '{}'", *user));
    return Exit::done;
  }
  const std::string name = given.has("user") ? given.at("user") : login_name(world);
  TRY(store::check_user_name(name));
  if (principals.exists(store::Kind::user, name))
    return hint(fail(Errc::denied, "the user '{}' exists and has other keys than yours", name),
                "take another name with --user, or ask somebody who may to add your key");
  std::vector<store::PublicKey> own;
  for (const std::string& recipient : keys.recipients()) own.push_back({.type = "age", .text = recipient});
  if (own.empty()) return fail(Errc::usage, "the public half of your key cannot be told from its private half");
  TRY(store::write_user(project.repository, lock, name, own));
  note(world, fmt::format("added you as the user '{}'", name));
  TRY(hand_to_git(project, {"sops/users/" + name, project.declaration.file}, "secrets: add user " + name, false, world));
  return Exit::done;
}

}  // namespace

constinit const Command kInit = {
    "init",
    "start a project in this folder",
    "Makes what is not there yet, and nothing twice: your private key (where sops and clan look for it), a\n"
    "vmcred.toml with this machine in it (or the one that --machine names), and you as the project's first user.",
    kParameters,
    run,
};

}  // namespace vmcred::app
