#include "generate/runtime_inputs.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/process.h"

namespace vmcred::generate {
namespace {

constexpr std::size_t kMaxList = 8 * 1024 * 1024;

/// The path without links, or nothing when it is no program.
std::optional<std::string> program_at(const std::string& path) {
  std::array<char, PATH_MAX> real = {};
  if (::realpath(path.c_str(), real.data()) == nullptr) return {};
  struct stat status = {};
  if (::stat(real.data(), &status) != 0 || !S_ISREG(status.st_mode) || ::access(real.data(), X_OK) != 0) return {};
  return std::string(real.data());
}

bool in_a_program_folder(std::string_view folder) {
  for (const char* known : {"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"})
    if (folder == known) return true;
  return false;
}

/// The commands of an installed Debian package: those of its files that lie in a program folder.
std::optional<std::map<std::string, std::string>> commands_of_package(const std::string& name,
                                                                      const std::string& root) {
  const std::string folder = join_path(root, "var/lib/dpkg/info");
  Result<std::string> list = read_file(fmt::format("{}/{}.list", folder, name), kMaxList);
  for (const char* architecture : {"amd64", "arm64"})
    if (!list) list = read_file(fmt::format("{}/{}:{}.list", folder, name, architecture), kMaxList);
  if (!list) return {};
  std::map<std::string, std::string> commands;
  std::string_view rest = *list;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string path(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || !in_a_program_folder(path.substr(0, slash))) continue;
    if (auto program = program_at(path)) commands.emplace(path.substr(slash + 1), *std::move(program));
  }
  return commands;
}

void add_folder(Toolbox& toolbox, const std::string& folder) {
  const Result<std::vector<std::string>> names = list_folder(folder);
  if (!names) return;
  for (const std::string& name : *names)
    if (auto program = program_at(folder + "/" + name)) toolbox.commands.insert_or_assign(name, *std::move(program));
}

bool in_the_system(const std::string& path) {
  for (const char* known : {"/usr/", "/bin/", "/sbin/", "/lib/", "/nix/store/"})
    if (path.starts_with(known)) return true;
  return false;
}

bool add_input(Toolbox& toolbox, const std::string& input, const std::string& root) {
  if (input.starts_with('/')) {
    if (!exists(input)) return false;
    if (!in_the_system(input)) toolbox.read_only.push_back(input);
    if (const auto program = program_at(input)) {
      toolbox.commands.insert_or_assign(input.substr(input.rfind('/') + 1), *program);
    } else {
      add_folder(toolbox, input + "/bin");
    }
    return true;
  }
  if (input.contains('/')) return false;
  if (const auto found = find_program(input, kSystemPath)) {
    if (const auto program = program_at(*found)) {
      toolbox.commands.insert_or_assign(input, *program);
      return true;
    }
  }
  auto package = commands_of_package(input, root);
  if (!package) return false;
  toolbox.commands.merge(*package);
  return true;
}

/// What coreutils installs, where no package list says it.
constexpr std::array kCoreutils = {
    "[",         "arch",     "b2sum", "base32",    "base64",   "basename", "basenc",    "cat",       "chcon",
    "chgrp",     "chmod",    "chown", "cksum",     "comm",     "cp",       "csplit",    "cut",       "date",
    "dd",        "df",       "dir",   "dircolors", "dirname",  "du",       "echo",      "env",       "expand",
    "expr",      "factor",   "false", "fmt",       "fold",     "groups",   "head",      "hostid",    "id",
    "install",   "join",     "link",  "ln",        "logname",  "ls",       "md5sum",    "mkdir",     "mkfifo",
    "mknod",     "mktemp",   "mv",    "nice",      "nl",       "nohup",    "nproc",     "numfmt",    "od",
    "paste",     "pathchk",  "pinky", "pr",        "printenv", "printf",   "ptx",       "pwd",       "readlink",
    "realpath",  "rm",       "rmdir", "runcon",    "seq",      "sha1sum",  "sha224sum", "sha256sum", "sha384sum",
    "sha512sum", "shred",    "shuf",  "sleep",     "sort",     "split",    "stat",      "stdbuf",    "stty",
    "sum",       "sync",     "tac",   "tail",      "tee",      "test",     "timeout",   "touch",     "tr",
    "true",      "truncate", "tsort", "tty",       "uname",    "unexpand", "uniq",      "unlink",    "users",
    "vdir",      "wc",       "who",   "whoami",    "yes",
};

}  // namespace

Result<Toolbox> find_runtime_inputs(const std::vector<std::string>& inputs, const std::string& root) {
  Toolbox toolbox;
  for (const char* name : kCoreutils) (void)add_input(toolbox, name, "/nowhere");  // not all systems have all of them
  for (const char* name : {"bash", "sh"})
    if (!add_input(toolbox, name, "/nowhere")) return fail(Errc::not_found, "'{}' is not installed", name);
  std::string unknown;
  std::string to_fetch;
  for (const std::string& input : inputs) {
    if (input == "coreutils" || input == "bash" || add_input(toolbox, input, root)) continue;
    unknown += fmt::format("{}'{}'", unknown.empty() ? "" : ", ", input);
    if (input.starts_with("/nix/store/")) to_fetch += " " + input;
  }
  if (!to_fetch.empty())
    return hint(fail(Errc::not_found, "the runtime input {} is not in this machine's Nix store", unknown),
                fmt::format("fetch it: nix-store --realise{}", to_fetch));
  if (!unknown.empty())
    return hint(
        fail(Errc::not_found, "the runtime input {} is neither an installed command nor an installed package", unknown),
        "install it, or name its folder by an absolute path");
  return toolbox;
}

}  // namespace vmcred::generate
