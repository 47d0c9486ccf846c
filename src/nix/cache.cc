#include "nix/cache.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "nix/sources.h"

namespace vmcred::nix {
namespace {

constexpr std::size_t kMaxEntries = 64;
constexpr std::size_t kMaxEntryBytes = 16UL * 1024 * 1024;
constexpr std::int64_t kFormat = 2;

std::string hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string entry_path(const std::string& folder, const Digest& key) {
  return fmt::format("{}/{}.json", folder, hex(key));
}

std::int64_t modified(const std::string& path) {
  struct stat found = {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec : 0;
}

void drop_oldest(const std::string& folder) {
  const auto names = list_folder(folder);
  if (!names || names->size() < kMaxEntries) return;
  std::vector<std::pair<std::int64_t, std::string>> entries;
  for (const std::string& name : *names)
    if (name.ends_with(".json")) entries.emplace_back(modified(join_path(folder, name)), name);
  std::ranges::sort(entries);
  const std::size_t spare = entries.size() < kMaxEntries ? 0 : entries.size() - kMaxEntries + 1;
  for (std::size_t i = 0; i < spare; ++i)
    (void)remove_tree(join_path(folder, entries[i].second));  // a full cache is no failure
}

}  // namespace

std::string state_of_file(const std::string& path) {
  struct stat found = {};
  if (::stat(path.c_str(), &found) != 0) return "absent";
  if (S_ISDIR(found.st_mode)) return "folder";
  if (!S_ISREG(found.st_mode)) return "other";
  if (static_cast<std::size_t>(found.st_size) > kMaxHashedFile) {
    return fmt::format("size:{}:{}", found.st_size, modified(path));
  }
  const auto text = read_file(path, kMaxHashedFile);
  return text ? "sha256:" + hex(sha256(bytes_of(*text))) : "unreadable";
}

std::optional<Kept> find_kept(const std::string& folder, const Digest& key) {
  const auto text = read_file(entry_path(folder, key), kMaxEntryBytes);
  if (!text) return {};
  auto entry = parse_json(*text, {.max_bytes = kMaxEntryBytes});
  if (!entry) return {};
  const Json* format = entry->find("format");
  if (format == nullptr || format->if_integer() == nullptr || *format->if_integer() != kFormat) return {};
  const Json* reads = entry->find("reads");
  const Json* declaration = entry->find("declaration");
  const Json* places = entry->find("places");
  const Json* guests = entry->find("guests");
  if (reads == nullptr || reads->if_object() == nullptr || declaration == nullptr || places == nullptr ||
      guests == nullptr)
    return {};
  for (const auto& [path, state] : *reads->if_object())
    if (state.if_string() == nullptr || *state.if_string() != state_of_file(path)) return {};
  return Kept{*declaration, *places, *guests};
}

Result<> keep(const std::string& folder, const Digest& key, const Kept& kept, const std::vector<std::string>& reads) {
  TRY(make_folders(folder, 0700));
  drop_oldest(folder);
  Json states = Json::object();
  for (const std::string& path : reads)
    if (states.find(path) == nullptr) states.set(path, state_of_file(path));
  Json entry = Json::object();
  entry.set("format", Json(kFormat));
  entry.set("reads", std::move(states));
  entry.set("declaration", kept.declaration);
  entry.set("places", kept.places);
  entry.set("guests", kept.guests);
  return write_file(entry_path(folder, key), dump_json(entry), 0600);
}

}  // namespace vmcred::nix
