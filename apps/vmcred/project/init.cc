// vmcred init: starts a project in a folder.
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "declare/load.h"
#include "project/commands.h"
#include "project/demo_declaration.h"
#include "secrets/access.h"
#include "secrets/identity.h"
#include "store/access.h"
#include "terminal/answer.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--user NAME", "your name among the project's users (default: your login name)"},
    {"--example", "a declaration that runs: three secrets and a vm that boots the demo's guest"},
    {"--guest DIR", "where that guest's vmlinuz and initrd are (default: guest, in the project)"},
};

constexpr std::string_view kDeclaration =
    R"toml(# The declaration of this project: what secrets there are, and which vm gets them.
# 'vmcred vars generate' makes them, 'vmcred check' looks at everything, 'vmcred declare' shows what it means.
# 'man vmcred.toml' explains each key.

[machines.{0}]

# [generators.my-vm-secrets]
# runtime-inputs = ["coreutils", "openssl"]
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

# [vms.my-vm.guest]
# systemd = 252    # which systemd the guest has
# agent = true     # vmcred-guest is in its image, and proves what it got
)toml";

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "host";
  return tamed(name, "host");
}

std::string replaced(std::string text, std::string_view old, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += by.size())
    text.replace(at, old.size(), by);
  return text;
}

/// The demo's own declaration, for this machine and that guest.
Result<std::string> example(const std::string& machine, const std::string& guest) {
  if (guest.find_first_of("\"\\\n") != std::string::npos) {
    return fail(Errc::usage, "the guest's folder has a quote, a backslash or a newline in its name");
  }
  return replaced(replaced(std::string(kDemoDeclaration), "britton-desktop", machine), "\"guest/", "\"" + guest + "/");
}

Result<> write_declaration(const Given& given, const World& world, const std::string& folder) {
  const Result<std::string> present = declare::find_declaration(folder);
  if (present && given.has("example")) {
    return hint(fail(Errc::usage, "the example needs a folder without a declaration, and there is '{}'", *present),
                "name an empty one: --project DIR");
  }
  if (present) {
    note(world, fmt::format("kept {}", *present));
    answer_with(world, "declaration", *present);
    answer_with(world, "written", false);
    return {};
  }
  if (present.error().code != Errc::not_found) return std::unexpected(present.error());
  const std::string machine = world.machine.empty() ? host_name() : world.machine;
  TRY(store::check_machine_name(machine));
  const std::string path = join_path(folder, "vmcred.toml");
  std::string text = fmt::format(fmt::runtime(kDeclaration), machine);
  if (given.has("example")) {
    const std::string guest = given.at("guest");
    TRY_LET(text,
            example(machine, guest.empty() ? "guest" : std::filesystem::absolute(guest).lexically_normal().string()));
  }
  TRY(write_file(path, text, 0644));
  note(world, fmt::format("wrote {} with the machine '{}'", path, machine));
  answer_with(world, "declaration", path);
  answer_with(world, "written", true);
  return {};
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const store::KeyRing keys, own_keys(world));
  TRY(make_folders(world.project));
  if (given.has("guest") && !given.has("example")) return fail(Errc::usage, "'--guest' is for '--example'");
  TRY(write_declaration(given, world, world.project));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY(join_as_user(project, lock, keys, given.at("user"), {project.declaration.file}, world));
  warn_of_only_user(project, world);
  if (given.has("example"))
    note(world,
         "next: 'vmcred vars generate', 'vmcred check', 'vmcred vm run test-vm'; all of the folder may go into git");
  return Exit::done;
}

}  // namespace

constinit const Command kInit = {
    "init",
    "start a project in this folder",
    "Makes what is not there yet, and nothing twice: your private key (where sops and clan look for it), a\n"
    "vmcred.toml with this machine in it (or the one that --machine names), and you as the project's first user.\n\n"
    "With --example the declaration is that of the demo: a generator of three secrets and a vm that gets them. It "
    "boots the\n"
    "guest that tools/guest-image makes: --guest /path/to/build/guest.",
    kParameters,
    run,
};

}  // namespace vmcred::app
