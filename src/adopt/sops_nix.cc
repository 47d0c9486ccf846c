// sops-nix: sops files of any kind; .sops.yaml names the keys.
#include <sys/stat.h>

#include <algorithm>

#include "adopt/foreign.h"
#include "base/file.h"
#include "sops/anchors.h"
#include "sops/sops.h"
#include "sops/tree.h"

namespace vmcred::adopt {
namespace {

constexpr std::string_view kConfiguration = ".sops.yaml";
constexpr std::size_t kMaxDepth = 16;

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// The whole path without the ending of its file.
std::string stem_of(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  const std::size_t dot = path.rfind('.');
  return dot == std::string::npos || dot <= name ? path : path.substr(0, dot);
}

/// Age recipients in the metadata of a file.
std::vector<std::string> recipients_in(const Json& metadata) {
  std::vector<std::string> all;
  if (const Json* entries = metadata.find("age"); entries != nullptr && entries->if_array() != nullptr) {
    for (const Json& entry : *entries->if_array()) all.push_back(entry.string_at("recipient"));
  }
  return all;
}

Result<std::vector<std::string>> recipients_of(std::string_view text, sops::Kind kind) {
  if (kind == sops::Kind::binary) {
    TRY_LET(const sops::File file, sops::parse(text));
    return sops::recipients(file);
  }
  TRY_LET(const sops::Tree tree, kind == sops::Kind::json   ? sops::read_json_tree(text)
                                 : kind == sops::Kind::yaml ? sops::read_yaml_tree(text)
                                                            : sops::read_dotenv_tree(text));
  return recipients_in(tree.metadata);
}

/// What a value is called: dotenv names stay as they are, for services read them as they are.
std::string file_name_of(const std::string& key, sops::Kind kind) {
  return kind == sops::Kind::dotenv ? key : tamed(key);
}

Result<> read_one(const std::string& path, const std::string& shown, const age::Identities& identities, Found& found) {
  TRY_LET(const std::string text, read_file(path, kMaxForeignFile));
  sops::Kind kind = sops::kind_of(path);
  // `sops --input-type binary` is often used on files of any name.
  if (kind == sops::Kind::json && sops::parse(text)) kind = sops::Kind::binary;
  if (kind == sops::Kind::ini)
    return hint(fail(Errc::unavailable, "INI files are not read"),
                fmt::format("sops decrypt '{}' | vmcred vars set GENERATOR/FILE takes it as one value", path));
  TRY_LET(std::vector<std::string> recipients, recipients_of(text, kind));
  recipients = normal_recipients(std::move(recipients));
  if (recipients.empty())
    return hint(fail(Errc::denied, "it is encrypted to no age key: PGP, KMS and Vault keys are not read"),
                "add an age key with sops first");
  TRY_LET(std::vector<sops::Leaf> leaves, sops::decrypt_tree(text, kind, identities));
  const std::string generator = tamed(stem_of(shown));
  for (sops::Leaf& leaf : leaves) {
    std::string key;
    for (const std::string& step : leaf.path) key += (key.empty() ? "" : "/") + step;
    const bool whole = kind == sops::Kind::binary;
    found.secrets.push_back({.source = whole ? shown : fmt::format("{}:{}", shown, key),
                             .generator = generator,
                             .file = whole ? generator : file_name_of(key, kind),
                             .value = std::move(leaf.value),
                             .secret = leaf.encrypted,
                             .recipients = recipients});
  }
  if (leaves.empty()) found.notes.push_back(fmt::format("'{}' holds no value", shown));
  for (const std::string& recipient : recipients) {
    KeyName& known = found.names[recipient];
    if (known.name.empty()) known = name_in_comment(recipient);
  }
  return {};
}

bool looks_like_sops(std::string_view text) {
  return text.find("ENC[AES256_GCM,") != std::string_view::npos && text.find("sops") != std::string_view::npos;
}

/// `- &admin_alice age1…`: an anchor is the only name that a key has in .sops.yaml.
void add_anchors(const std::string& path, Found& found) {
  const auto text = read_file(path, kMaxForeignFile);
  const auto anchors = text ? sops::anchored_texts(*text) : std::unexpected(text.error());
  if (!anchors) {
    found.notes.push_back(
        fmt::format("the names of keys in '{}' could not be read: {}", path, anchors.error().message));
    return;
  }
  for (const auto& [word, texts] : *anchors) {
    for (std::string_view rest = texts; !rest.empty();) {  // sops takes several keys in one text
      const std::string key(rest.substr(0, rest.find(',')));
      rest.remove_prefix(std::min(key.size() + 1, rest.size()));
      KeyName& known = found.names[without_comment(key)];
      if (known.name.empty()) known = name_of_word(word);
    }
  }
}

/// Our own trees, which hold sops files as well.
bool is_our_own(std::string_view shown) {
  for (const std::string_view own : {"sops/secrets", "sops/users", "sops/machines", "sops/groups", "vars/shared",
                                     "vars/per-machine", "vars/per-vm", "vars/per-export"})
    if (shown == own) return true;
  return false;
}

Result<> walk(const std::string& folder, const std::string& shown, const age::Identities& identities, std::size_t depth,
              Found& found) {
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  const auto leave_out = [&](const std::string& relative, Error error) {
    found.left_out.push_back({relative, std::move(error)});
  };
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    const std::string relative = shown.empty() ? name : shown + "/" + name;
    struct stat at = {};
    if (name == kConfiguration) {
      add_anchors(path, found);
      continue;
    }
    if (::lstat(path.c_str(), &at) != 0) continue;
    if (S_ISDIR(at.st_mode)) {
      if (name == ".git" || is_our_own(relative)) continue;
      if (depth >= kMaxDepth)
        leave_out(relative, Error{Errc::invalid_data, fmt::format("it lies deeper than {} folders", kMaxDepth)});
      else
        TRY(walk(path, relative, identities, depth + 1, found));
      continue;
    }
    struct stat behind = {};
    if (::stat(path.c_str(), &behind) != 0 || !S_ISREG(behind.st_mode)) continue;
    const auto text = read_file(path, kMaxForeignFile);
    if (!text && (sops::kind_of(path) != sops::Kind::binary)) leave_out(relative, text.error());
    if (!text || !looks_like_sops(*text)) continue;
    if (!S_ISREG(at.st_mode)) {
      leave_out(relative, Error{Errc::invalid_data, "it is a link: name the folder that it leads to"});
      continue;
    }
    if (found.secrets.size() > kMaxForeignFiles) return fail(Errc::invalid_data, "'{}' holds too many secrets", folder);
    if (auto read = read_one(path, relative, identities, found); !read) leave_out(relative, std::move(read).error());
  }
  return {};
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
  if (!exists(path))
    return hint(fail(Errc::not_found, "there is no '{}'", path), "name a sops file, or a folder with some");
  Found found;
  std::string folder = path;
  if (is_folder(path)) {
    TRY(walk(path, "", identities, 0, found));
  } else {
    const std::size_t slash = path.rfind('/');
    folder = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
    if (auto read = read_one(path, base_name(path), identities, found); !read)
      found.left_out.push_back({base_name(path), std::move(read).error()});
  }
  if (const std::string configuration = find_configuration(folder); !configuration.empty())
    add_anchors(configuration, found);
  return found;
}

}  // namespace vmcred::adopt
