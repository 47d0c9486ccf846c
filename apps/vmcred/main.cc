// vmcred: parse, call, print. Everything else is in src/.
#include <malloc.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/die.h"
#include "base/file.h"
#include "base/foreign_text.h"
#include "base/secret.h"
#include "command.h"
#include "help.h"
#include "options.h"
#include "terminal/answer.h"

extern char** environ;  // NOLINT

namespace vmcred::app {
namespace {

constexpr std::string_view kVersion = "vmcred " VMCRED_VERSION "\n";

World make_world() {
  World world;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos) world.environment.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  world.tty_err = ::isatty(world.err) == 1 && world.env("TERM") != "dumb";
  return world;
}

/// The nearest folder upwards that holds a declaration, else ".".
std::string find_project() {
  std::string folder = ".";
  const std::unique_ptr<char, decltype(&std::free)> here(::realpath(".", nullptr), std::free);
  if (!here) return folder;
  for (std::string at = here.get(); !at.empty(); at = at.substr(0, at.rfind('/'))) {
    for (const char* name : {"vmcred.toml", "vmcred.json", "host.nix"}) {
      if (exists(at + "/" + name)) return at;
    }
  }
  return folder;
}

Result<> apply(const Given& global, World& world) {
  world.quiet = global.has("quiet");
  world.verbose = global.has("verbose");
  world.machine = global.at("machine");
  world.nix = global.at("nix");
  world.nixpkgs = global.at("nixpkgs");
  world.flake = global.at("flake");
  if (global.has("project")) {
    world.project = global.at("project");
  } else if (world.nix.find('/') != std::string::npos) {
    world.project = world.nix.substr(0, std::max<std::size_t>(world.nix.rfind('/'), 1));
  } else {
    world.project = world.nix.empty() ? find_project() : ".";
  }
  const std::string when = global.has("color") ? global.at("color") : "auto";
  if (when != "auto" && when != "always" && when != "never") {
    return hint(fail(Errc::usage, "--color takes auto, always or never, not '{}'", when), "leave it out for auto");
  }
  const bool automatic = when == "auto" && world.env("NO_COLOR").empty() && world.env("TERM") != "dumb";
  if (world.json) return {};  // escapes are for people
  world.color_out = when == "always" || (automatic && ::isatty(world.out) == 1);
  world.color_err = when == "always" || (automatic && ::isatty(world.err) == 1);
  return {};
}

/// Also where the rest of the command line is not understood: whoever called us reads JSON then.
bool wants_json(const std::vector<std::string>& arguments) {
  const auto end = std::ranges::find(arguments, "--");
  return std::find(arguments.begin(), end, "--json") != end;
}

Result<Exit> run(const std::vector<std::string>& arguments, World& world) {
  if (wants_json(arguments)) {
    world.json = true;
    world.answer = std::make_shared<Answer>();
  }
  TRY_LET(const Asked asked, parse_command_line(arguments));
  if (asked.version) {
    answer_with(world, "version", VMCRED_VERSION);
    print(world, kVersion);
    return Exit::done;
  }
  if (asked.help) {
    world.json = false;  // 'vmcred help --json' has it as data
    world.answer.reset();
    print(world, asked.command != nullptr ? command_help(*asked.command) : overview(asked.words));
    return Exit::done;
  }
  world.command = asked.command->words;
  TRY(apply(asked.global, world));
  return asked.command->run(asked.given, world);
}

}  // namespace
}  // namespace vmcred::app

int main(int count, char** arguments) {
  using namespace vmcred;
  using namespace vmcred::app;
  forbid_core_dumps();
  exit_when_memory_ends();
  (void)::mallopt(M_PERTURB, 1);  // what libraries free is overwritten: a second net behind Secret
  ::signal(SIGPIPE, SIG_IGN);
  World world = make_world();
  const Result<Exit> done = run(std::vector<std::string>(arguments + 1, arguments + count), world);
  if (done) {
    print_answer(world, nullptr);
    return static_cast<int>(*done);
  }
  // What an error quotes may steer a terminal.
  std::string text = fmt::format("vmcred: error: {}\n", printable(done.error().message));
  if (!done.error().hint.empty()) text += fmt::format("vmcred: hint: {}\n", printable(done.error().hint));
  world.quiet = false;
  (void)!::write(world.err, text.data(), text.size());  // nowhere left to complain
  print_answer(world, &done.error());
  return static_cast<int>(done.error().code == Errc::usage ? Exit::usage : Exit::failed);
}
