// Findings of files beside the declaration: sources on this host, and plain text in the project's tree.
#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "chain/check.h"
#include "credential/limits.h"
#include "shape/issued.h"

namespace vmcred::chain {
namespace {

constexpr std::size_t kMaxTreeFiles = 20000;
constexpr std::size_t kMaxLooked = 256 * 1024;  // larger files are no key files
constexpr int kMaxDepth = 12;

void check_source(const declare::Vm& vm, const declare::Credential& credential, std::vector<Finding>& findings) {
  const auto* path = std::get_if<std::string>(&credential.from);
  struct stat status{};
  if (path == nullptr || ::stat(path->c_str(), &status) != 0) return;
  if (S_ISSOCK(status.st_mode)) {
    const std::size_t names = fmt::format("microvm@{}.service", vm.name).size() + credential.host.size();
    if (names > credential::kMaxUnitAndId) {
      findings.push_back(finding(
          Code::socket_name_too_long, credential.place,
          fmt::format(
              "vm '{}': '{}' comes from a socket, and the names of unit and credential are {} bytes, {} at most",
              vm.name, credential.host, names, credential::kMaxUnitAndId),
          "choose a shorter name for the vm or the credential"));
    }
    return;
  }
  if (S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0) {
    findings.push_back(finding(Code::readable_source, credential.place,
                               fmt::format("vm '{}': everybody on this machine can read '{}'", vm.name, *path),
                               fmt::format("chmod 0400 {}", *path)));
  }
}

struct Found {
  std::size_t at = 0;
  std::string_view what;
};

/// "-----BEGIN … PRIVATE KEY-----" at the start of a line.
std::optional<Found> private_key_in(std::string_view text) {
  static const std::string pem =
      std::string("PRIV") + "ATE KEY-----\n";  // in two halves, so that no source finds itself
  for (std::size_t at = text.find(pem); at != std::string_view::npos; at = text.find(pem, at + 1)) {
    const std::size_t begin = text.rfind('\n', at);
    const std::size_t start = begin == std::string_view::npos ? 0 : begin + 1;
    if (text.substr(start).starts_with("-----BEGIN ")) return Found{start, "a private key"};
  }
  return {};
}

/// Only what leaves no doubt by its shape; randomness alone is everywhere in a source tree, and so are placeholders.
std::optional<Found> secret_in(std::string_view text) {
  if (auto found = private_key_in(text)) return found;
  for (std::size_t at = 0; at < text.size();) {
    const auto issued = shape::issued_in(text.substr(at));
    if (!issued) return {};
    if (issued->whole) return Found{at + issued->begin, issued->what};
    at += issued->begin + issued->bytes;
  }
  return {};
}

struct Walk {
  std::size_t left = kMaxTreeFiles;
  std::vector<Finding> findings = {};
};

void look_at(const std::string& path, Walk& walk) {
  const auto text = read_file(path, kMaxLooked);
  if (!text) return;  // larger, or not ours to read
  const auto found = secret_in(*text);
  if (!found) return;
  const auto line =
      1 + static_cast<int>(std::count(text->begin(), text->begin() + static_cast<std::ptrdiff_t>(found->at), '\n'));
  walk.findings.push_back(finding(
      Code::plaintext_in_tree, {.file = path, .line = line, .column = 1},
      fmt::format("'{}' holds {}", path, found->what),
      "move it out of the project, or store it with 'vmcred vars set'; then replace it: git keeps the old one"));
}

void walk_folder(const std::string& folder, int depth, Walk& walk) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), &::closedir);
  if (!open) return;
  std::vector<std::string> folders;
  std::vector<std::string> files;
  while (const dirent* entry = ::readdir(open.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == ".git" || name == "node_modules" || name == "build") continue;
    if (depth == 0 && (name == "vars" || name == "sops")) continue;  // the store's own
    if (entry->d_type == DT_DIR) folders.push_back(name);
    if (entry->d_type == DT_REG) files.push_back(name);
  }
  std::ranges::sort(files);
  std::ranges::sort(folders);
  for (const std::string& name : files) {
    if (walk.left == 0) return;
    --walk.left;
    look_at(folder == "." ? name : join_path(folder, name), walk);
  }
  if (depth == kMaxDepth) return;
  for (const std::string& name : folders) walk_folder(folder == "." ? name : join_path(folder, name), depth + 1, walk);
}

}  // namespace

std::vector<Finding> check_sources(const declare::Declaration& declaration) {
  std::vector<Finding> findings;
  for (const auto& [name, vm] : declaration.vms)
    for (const declare::Credential& credential : vm.credentials) check_source(vm, credential, findings);
  return findings;
}

Result<std::vector<Finding>> check_tree(const std::string& folder) {
  Walk walk;
  walk_folder(folder, 0, walk);
  return std::move(walk.findings);
}

}  // namespace vmcred::chain
