// agenix: secrets.nix says who may read which NAME.age beside it.
#include <algorithm>

#include "adopt/foreign.h"
#include "age/age.h"
#include "base/file.h"

namespace vmcred::adopt {
namespace {

constexpr std::string_view kRules = "secrets.nix";
constexpr std::string_view kSuffix = ".age";

/// `alice = "ssh-ed25519 …";` in a let: the name that a key has in secrets.nix, found in its text.
void add_written_names(const std::string& text, Found& found) {
  for (auto& [recipient, known] : found.names) {
    if (!known.name.empty()) continue;
    const std::size_t key = text.find('"' + recipient);
    if (key == std::string::npos) continue;
    std::size_t end = text.find_last_not_of(" \t\n=", key - 1);
    if (key == 0 || end == std::string::npos || text.find('=', end) > key) continue;
    std::size_t start = end;
    const auto in_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
    while (start > 0 && in_name(text[start - 1])) --start;
    known = name_of_word(std::string_view(text).substr(start, end - start + 1));
  }
}

Result<Foreign> read_secret_file(const std::string& folder, const std::string& name, const Json& rule,
                                 const age::Identities& identities, Found& found) {
  const std::string stem = name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
  Foreign secret{.source = name, .generator = tamed(stem), .file = tamed(stem), .value = {}};
  const Json* keys = rule.find("publicKeys");
  if (keys == nullptr || keys->if_array() == nullptr || keys->if_array()->empty()) {
    return fail(Errc::invalid_data, "'{}' has no publicKeys in {}", name, kRules);
  }
  for (const Json& key : *keys->if_array()) {
    if (key.if_string() == nullptr) return fail(Errc::invalid_data, "'{}': a public key is no string", name);
    const std::string recipient = without_comment(*key.if_string());
    secret.recipients.push_back(recipient);
    KeyName& known = found.names[recipient];
    if (known.name.empty()) known = name_in_comment(*key.if_string());
  }
  std::ranges::sort(secret.recipients);
  secret.recipients.erase(std::unique(secret.recipients.begin(), secret.recipients.end()), secret.recipients.end());
  TRY_LET(const std::string file, read_file(join_path(folder, name), kMaxForeignFile));
  TRY_LET(secret.value, in(fmt::format("decrypt '{}'", name), age::decrypt(identities, file)));
  return secret;
}

}  // namespace

Result<Found> read_agenix(const std::string& path, const age::Identities& identities, const nix::Settings& settings) {
  const std::string rules = is_folder(path) ? join_path(path, kRules) : path;
  if (!exists(rules)) return hint(fail(Errc::not_found, "there is no '{}'", rules), "name agenix's secrets.nix or its folder");
  const std::size_t slash = rules.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : rules.substr(0, slash);
  TRY_LET(const Json all, nix::evaluate_value(rules, settings));
  if (all.if_object() == nullptr) return fail(Errc::invalid_data, "'{}' gives no set of secrets", rules);
  if (all.if_object()->size() > kMaxForeignFiles) return fail(Errc::invalid_data, "'{}' names too many secrets", rules);
  Found found;
  for (const auto& [name, rule] : *all.if_object()) {
    auto secret = read_secret_file(folder, name, rule, identities, found);
    if (secret) {
      found.secrets.push_back(*std::move(secret));
    } else {
      found.left_out.push_back(std::move(secret).error());
    }
  }
  TRY_LET(const std::string text, read_file(rules, kMaxForeignFile));
  add_written_names(text, found);
  return found;
}

}  // namespace vmcred::adopt
