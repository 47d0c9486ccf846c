// vmcred init: starts a project in a folder.
#include <unistd.h>

#include "access.h"
#include "base/file.h"
#include "commands.h"
#include "declare/load.h"
#include "identity.h"
#include "store/access.h"
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

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "host";
  return tamed(name, "host");
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
  TRY(join_as_user(project, lock, keys, given.at("user"), {project.declaration.file}, world));
  warn_of_only_user(project, world);
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
