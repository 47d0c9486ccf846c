#include "modules.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <linux/module.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>

#include "base/fd.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kMaxDependencies = 16 * 1024 * 1024;  // Debian's modules.dep has 0.7 MiB
constexpr std::size_t kMaxSettings = 1024 * 1024;
#ifndef MODULE_INIT_COMPRESSED_FILE  // Linux 5.17
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

/// The kernel writes '_' in the name of every module, its file may have '-'.
std::string with_underscores(std::string_view text) {
  std::string result(text);
  std::ranges::replace(result, '-', '_');
  return result;
}

/// "virtio_pci" of "kernel/drivers/virtio/virtio_pci.ko.xz".
std::string module_name(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);  // npos + 1 is 0
  return with_underscores(path.substr(0, path.find(".ko")));
}

/// The line of modules.dep whose file is the module: "its path: the paths it needs".
std::optional<std::string_view> line_of(std::string_view dependencies, const std::string& name) {
  while (!dependencies.empty()) {
    const std::string_view line = take_until(dependencies, '\n');
    if (module_name(line.substr(0, line.find(':'))) == name) return line;
  }
  return {};
}

/// Whether a word of modprobe's settings may mean the module: its name, its name with a parameter, a pattern that it
/// matches.
bool means(std::string_view word, const std::string& name) {
  if (word.contains('[')) return true;  // what stands in it is not ours to read
  const std::string plain = with_underscores(word);
  if (plain.find_first_of("*?") != std::string::npos && ::fnmatch(plain.c_str(), name.c_str(), 0) == 0) return true;
  const auto of_a_name = [&](std::size_t at) {
    return at < plain.size() && (std::isalnum(static_cast<unsigned char>(plain[at])) != 0 || plain[at] == '_');
  };
  for (std::size_t at = plain.find(name); at != std::string::npos; at = plain.find(name, at + 1))
    if (!of_a_name(at - 1) && !of_a_name(at + name.size())) return true;
  return false;
}

bool names_any(std::string_view text, const std::vector<std::string>& names) {
  constexpr std::string_view kBlank = " \t";
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    if (line.starts_with('#')) continue;
    while (!line.empty()) {
      const std::string_view word = line.substr(0, line.find_first_of(kBlank));
      if (std::ranges::any_of(names, [&](const std::string& name) { return means(word, name); })) return true;
      line.remove_prefix(word.size());
      line.remove_prefix(std::min(line.find_first_not_of(kBlank), line.size()));
    }
  }
  return false;
}

/// Whether modprobe would do more than to load the files, or may do so as far as we can read.
bool has_settings(const std::vector<std::string>& names, const ModuleFolders& folders) {
  std::vector<std::string> files = {folders.command_line, join_path(folders.modules, "modules.softdep")};
  for (const std::string& folder : folders.settings) {
    const auto entries = list_folder(folder);
    if (!entries && entries.error().code != Errc::not_found) return true;
    if (entries)
      for (const std::string& entry : *entries) files.push_back(join_path(folder, entry));
  }
  return std::ranges::any_of(files, [&](const std::string& file) {
    const auto text = read_file(file, kMaxSettings);
    return text ? names_any(*text, names) : text.error().code != Errc::not_found;
  });
}

/// While its state is another than "live", the kernel still makes it ready: given once more, it is waited for.
bool is_loaded(const std::string& loaded, const std::string& name) {
  constexpr std::size_t kPage = 4096;
  const std::string folder = join_path(loaded, name);
  const auto state = read_file(join_path(folder, "initstate"), kPage);
  return state ? *state == "live\n" : exists(folder);  // what is built in has no state
}

/// Whether the kernel has it now.
bool give_to_kernel(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int flags = path.ends_with(".ko") ? 0 : MODULE_INIT_COMPRESSED_FILE;
  return file && (::syscall(SYS_finit_module, file.get(), "", flags) == 0 || errno == EEXIST);
}

void run_modprobe(const std::vector<std::string>& names) {
  for (const char* const modprobe : {"/sbin/modprobe", "/usr/sbin/modprobe", "/run/current-system/sw/bin/modprobe"}) {
    if (::access(modprobe, X_OK) != 0) continue;
    std::vector<std::string> argv = {modprobe, "-q", "-a"};
    argv.insert(argv.end(), names.begin(), names.end());
    (void)run({.argv = std::move(argv)}, {.limit = std::chrono::seconds(10)});
    return;
  }
}

}  // namespace

ModuleFolders module_folders() {
  utsname kernel = {};
  (void)::uname(&kernel);
  const std::string nixos = join_path("/run/booted-system/kernel-modules/lib/modules", kernel.release);
  return {.modules = is_folder(nixos) ? nixos : join_path("/lib/modules", kernel.release),
          .settings = {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/lib/modprobe.d"},
          .command_line = "/proc/cmdline",
          .loaded = "/sys/module"};
}

std::optional<std::vector<std::string>> module_files(const std::vector<std::string>& names,
                                                     const ModuleFolders& folders) {
  const auto dependencies = read_file(join_path(folders.modules, "modules.dep"), kMaxDependencies);
  if (!dependencies) return {};
  std::vector<std::string> files;
  std::vector<std::string> concerned = names;
  const auto add = [&](std::string_view path) {
    std::string file = join_path(folders.modules, path);
    if (is_loaded(folders.loaded, module_name(path)) || std::ranges::find(files, file) != files.end()) return;
    concerned.push_back(module_name(path));
    files.push_back(std::move(file));
  };
  for (const std::string& name : names) {
    if (is_loaded(folders.loaded, name)) continue;
    const auto line = line_of(*dependencies, name);
    if (!line) continue;  // built in, or this kernel has none
    const std::size_t colon = std::min(line->find(':'), line->size());
    std::string_view needed = line->substr(std::min(colon + 1, line->size()));
    while (!needed.empty()) {
      const std::size_t space = needed.rfind(' ');
      const std::string_view path = needed.substr(space + 1);
      if (!path.empty()) add(path);
      needed = needed.substr(0, space == std::string_view::npos ? 0 : space);
    }
    add(line->substr(0, colon));
  }
  if (has_settings(concerned, folders)) return {};
  return files;
}

void load_modules(const std::vector<std::string>& names) {
  const auto files = module_files(names, module_folders());
  if (!files || !std::ranges::all_of(*files, give_to_kernel)) run_modprobe(names);
}

}  // namespace vmcred::guest
