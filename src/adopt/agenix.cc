// agenix: secrets.nix says who may read which NAME.age beside it.
#include <algorithm>

#include "adopt/foreign.h"
#include "adopt/written_names.h"
#include "age/age.h"
#include "age/armor.h"
#include "age/ssh_key.h"
#include "base/base64.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/sha256.h"

namespace vmcred::adopt {
namespace {

constexpr std::string_view kRules = "secrets.nix";
constexpr std::string_view kSuffix = ".age";
constexpr std::size_t kTogether = 8;

/// The first stanza argument of an SSH recipient: four bytes of the digest of its key.
std::string ssh_tag(const std::string& recipient) {
  const auto key = age::parse_ssh_public_key(recipient);
  return key ? base64_encode(Bytes(sha256(bytes_of(key->wire))).first(4), Padding::without) : std::string();
}

/// Whom a file with these stanzas was perhaps never encrypted to. An SSH key is named in its stanza; of others only how
/// many of a kind there are can be told, so one that is missing makes all of its kind doubtful, but for the reader's
/// own.
std::vector<std::string> unproven(const std::vector<age::Stanza>& stanzas, const std::vector<std::string>& recipients,
                                  const age::Identities& identities) {
  enum Kind { curve, hybrid, other, kinds };
  std::size_t counts[kinds] = {};
  for (const age::Stanza& stanza : stanzas)
    if (stanza.type == "X25519")
      ++counts[curve];
    else if (stanza.type == "mlkem768x25519")
      ++counts[hybrid];
    else if (!stanza.type.starts_with("ssh-") && !stanza.type.ends_with("-grease"))
      ++counts[other];
  std::vector<std::string> doubtful;
  std::vector<std::string> of_kind[kinds];
  for (const std::string& recipient : recipients) {
    if (recipient.starts_with("ssh-")) {
      const std::string tag = ssh_tag(recipient);
      const bool there = std::ranges::any_of(stanzas, [&](const age::Stanza& stanza) {
        return stanza.type.starts_with("ssh-") && !stanza.arguments.empty() && stanza.arguments.front() == tag;
      });
      if (!there) doubtful.push_back(recipient);
    } else {
      const bool plain = recipient.starts_with("age1") && recipient.rfind('1') == 3;
      of_kind[recipient.starts_with("age1pq1") ? hybrid : plain ? curve : other].push_back(recipient);
    }
  }
  for (int kind = 0; kind < kinds; ++kind) {
    if (counts[kind] >= of_kind[kind].size()) continue;
    for (std::string& recipient : of_kind[kind])
      if (counts[kind] == 0 ||
          std::ranges::none_of(identities, [&](const auto& mine) { return mine->reads(recipient); }))
        doubtful.push_back(std::move(recipient));
  }
  std::ranges::sort(doubtful);
  return doubtful;
}

Result<Foreign> ruled(const std::string& name, const Json& rule, Found& found) {
  const std::string stem = name.ends_with(kSuffix) ? name.substr(0, name.size() - kSuffix.size()) : name;
  Foreign secret{.source = name, .generator = tamed(stem), .file = tamed(stem), .value = {}};
  const Json* keys = rule.find("publicKeys");
  if (keys == nullptr || keys->if_array() == nullptr || keys->if_array()->empty())
    return fail(Errc::invalid_data, "it has no publicKeys in {}", kRules);
  for (const Json& key : *keys->if_array()) {
    if (key.if_string() == nullptr) return fail(Errc::invalid_data, "a public key is no string");
    secret.recipients.push_back(*key.if_string());
    KeyName& known = found.names[without_comment(*key.if_string())];
    if (known.name.empty()) known = name_in_comment(*key.if_string());
  }
  secret.recipients = normal_recipients(std::move(secret.recipients));
  return secret;
}

/// One of agenix's files on its way.
struct Reading {
  Foreign secret;
  std::string file = {};
  Result<> outcome = {};
};

/// The file's value, and who is doubtful among its recipients.
Result<> open_file(const std::string& folder, Foreign& secret, std::string& binary, const age::Identities& identities) {
  TRY_LET(binary, read_file(join_path(folder, secret.source), kMaxForeignFile));
  if (age::is_armored(binary)) {
    TRY_LET(binary, age::read_armor(binary));
  }
  TRY_LET(const age::ParsedHeader parsed, age::parse_header(binary));
  secret.unproven = unproven(parsed.header.stanzas, secret.recipients, identities);
  TRY_LET(secret.value, age::decrypt(identities, binary));
  return {};
}

/// Those that no key of this process opens, at once: a plugin asks for one PIN.
void ask_plugins(std::vector<Reading>& readings, const age::Identities& plugins) {
  std::vector<Reading*> closed;
  std::vector<std::string_view> files;
  for (Reading& each : readings) {
    if (each.outcome || each.outcome.error().code != Errc::denied) continue;
    closed.push_back(&each);
    files.push_back(each.file);
  }
  if (closed.empty() || plugins.empty()) return;
  std::vector<Result<Secret>> values = age::decrypt_all(plugins, files);
  for (std::size_t i = 0; i < closed.size(); ++i) {
    closed[i]->outcome = values[i] ? Result<>() : std::unexpected(values[i].error());
    if (values[i]) closed[i]->secret.value = *std::move(values[i]);
  }
}

}  // namespace

Result<Found> read_agenix(const std::string& path, const age::Identities& identities, const nix::Settings& settings) {
  const std::string rules = is_folder(path) ? join_path(path, kRules) : path;
  if (!exists(rules))
    return hint(fail(Errc::not_found, "there is no '{}'", rules), "name agenix's secrets.nix or its folder");
  const std::size_t slash = rules.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : rules.substr(0, slash);
  TRY_LET(const Json all, nix::evaluate_value(rules, settings));
  if (all.if_object() == nullptr) return fail(Errc::invalid_data, "'{}' gives no set of secrets", rules);
  if (all.if_object()->size() > kMaxForeignFiles) return fail(Errc::invalid_data, "'{}' names too many secrets", rules);
  Found found;
  std::vector<Reading> readings;
  for (const auto& [name, rule] : *all.if_object()) {
    auto secret = ruled(name, rule, found);
    if (secret)
      readings.push_back({.secret = *std::move(secret)});
    else
      found.left_out.push_back({name, std::move(secret).error()});
  }
  age::Identities native;
  age::Identities plugins;
  for (const age::IdentityPtr& each : identities) (each->recipient().empty() ? plugins : native).push_back(each);
  in_ranges(
      readings.size(),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i)
          readings[i].outcome = open_file(folder, readings[i].secret, readings[i].file, native);
      },
      kTogether);
  ask_plugins(readings, plugins);
  for (Reading& each : readings) {
    if (each.outcome)
      found.secrets.push_back(std::move(each.secret));
    else
      found.left_out.push_back({each.secret.source, std::move(each.outcome).error()});
  }
  TRY_LET(const std::string text, read_file(rules, kMaxForeignFile));
  add_written_names(text, found);
  return found;
}

}  // namespace vmcred::adopt
