// sops-nix: sops files of any kind; .sops.yaml names the keys.
#include <sys/stat.h>

#include <algorithm>

#include "adopt/foreign.h"
#include "base/file.h"
#include "sops/sops.h"
#include "sops/tree.h"

namespace vmcred::adopt {
namespace {

constexpr std::string_view kConfiguration = ".sops.yaml";
constexpr std::size_t kMaxDepth = 16;

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string stem_of(const std::string& path) {
  const std::string name = base_name(path);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

/// Age recipients in the metadata of a file.
std::vector<std::string> recipients_in(const Json& metadata) {
  std::vector<std::string> all;
  if (const Json* entries = metadata.find("age"); entries != nullptr && entries->if_array() != nullptr) {
    for (const Json& entry : *entries->if_array()) all.push_back(without_comment(entry.string_at("recipient")));
  }
  std::ranges::sort(all);
  return all;
}

Result<std::vector<std::string>> recipients_of(std::string_view text, sops::Kind kind) {
  if (kind == sops::Kind::binary) {
    TRY_LET(const sops::File file, sops::parse(text));
    std::vector<std::string> all = sops::recipients(file);
    std::ranges::sort(all);
    return all;
  }
  TRY_LET(const sops::Tree tree, kind == sops::Kind::json   ? sops::read_json_tree(text)
                                 : kind == sops::Kind::yaml ? sops::read_yaml_tree(text)
                                                            : sops::read_dotenv_tree(text));
  return recipients_in(tree.metadata);
}

Result<> read_one(const std::string& path, const std::string& shown, const age::Identities& identities, Found& found) {
  TRY_LET(const std::string text, read_file(path, kMaxForeignFile));
  sops::Kind kind = sops::kind_of(path);
  // `sops --input-type binary` is often used on files of any name.
  if (kind == sops::Kind::json && sops::parse(text)) kind = sops::Kind::binary;
  TRY_LET(const std::vector<std::string> recipients, recipients_of(text, kind));
  TRY_LET(std::vector<sops::Leaf> leaves, sops::decrypt_tree(text, kind, identities));
  const std::string generator = tamed(stem_of(path));
  for (sops::Leaf& leaf : leaves) {
    if (!leaf.encrypted) continue;
    std::string key;
    for (const std::string& step : leaf.path) key += (key.empty() ? "" : "/") + step;
    const bool whole = kind == sops::Kind::binary;
    found.secrets.push_back({.source = whole ? shown : fmt::format("{}: {}", shown, key),
                             .generator = generator,
                             .file = whole ? generator : tamed(key),
                             .value = std::move(leaf.value),
                             .recipients = recipients});
  }
  for (const std::string& recipient : recipients) found.names[recipient];
  return {};
}

bool looks_like_sops(const std::string& path) {
  const auto text = read_file(path, kMaxForeignFile);
  return text && text->find("ENC[AES256_GCM,") != std::string::npos && text->find("sops") != std::string::npos;
}

Result<> walk(const std::string& folder, const std::string& shown, const age::Identities& identities, std::size_t depth, Found& found) {
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    const std::string relative = shown.empty() ? name : shown + "/" + name;
    struct stat at = {};
    if (name.starts_with('.') || ::lstat(path.c_str(), &at) != 0) continue;
    const bool our_own = shown.empty() && (name == "vars" || name == "sops");
    if (S_ISDIR(at.st_mode) && !our_own && depth < kMaxDepth) {
      TRY(walk(path, relative, identities, depth + 1, found));
    } else if (S_ISREG(at.st_mode) && looks_like_sops(path)) {
      if (found.secrets.size() > kMaxForeignFiles) return fail(Errc::invalid_data, "'{}' holds too many secrets", folder);
      if (auto read = read_one(path, relative, identities, found); !read) {
        read.error().message = fmt::format("{}: {}", relative, read.error().message);
        found.left_out.push_back(std::move(read).error());
      }
    }
  }
  return {};
}

/// `- &admin_alice age1…`: an anchor is the only name that a key has in .sops.yaml.
void add_anchors(std::string_view text, Found& found) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t anchor = line.find('&');
    const std::size_t space = anchor == std::string_view::npos ? anchor : line.find(' ', anchor);
    if (space == std::string_view::npos) continue;
    const std::string_view word = line.substr(anchor + 1, space - anchor - 1);
    std::string_view key = line.substr(space + 1);
    key = key.substr(key.find_first_not_of(" \"'") == std::string_view::npos ? key.size() : key.find_first_not_of(" \"'"));
    while (!key.empty() && (key.back() == '"' || key.back() == '\'' || key.back() == '\r' || key.back() == ' ')) key.remove_suffix(1);
    const auto known = found.names.find(without_comment(std::string(key)));
    if (known != found.names.end() && known->second.name.empty()) known->second = name_of_word(word);
  }
}

/// .sops.yaml lies in the folder or above.
std::string find_configuration(std::string folder) {
  for (std::size_t level = 0; level < kMaxDepth; ++level, folder += "/..") {
    const std::string path = folder + "/" + std::string(kConfiguration);
    if (exists(path)) return path;
  }
  return {};
}

}  // namespace

Result<Found> read_sops_nix(const std::string& path, const age::Identities& identities) {
  if (!exists(path)) return hint(fail(Errc::not_found, "there is no '{}'", path), "name a sops file, or a folder with some");
  Found found;
  std::string folder = path;
  if (is_folder(path)) {
    TRY(walk(path, "", identities, 0, found));
  } else {
    const std::size_t slash = path.rfind('/');
    folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    TRY(in(fmt::format("read '{}'", path), read_one(path, base_name(path), identities, found)));
  }
  if (const std::string configuration = find_configuration(folder); !configuration.empty()) {
    TRY_LET(const std::string text, read_file(configuration, kMaxForeignFile));
    add_anchors(text, found);
  }
  return found;
}

}  // namespace vmcred::adopt
