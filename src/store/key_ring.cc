#include "store/key_ring.h"

#include <algorithm>
#include <optional>

#include "age/plugin.h"
#include "age/remembering.h"
#include "age/ssh_key.h"
#include "base/file.h"
#include "sops/lookup.h"
#include "store/keys.h"

namespace vmcred::store {
namespace {

/// age reads key files of up to 16 MiB; nobody has one.
constexpr std::size_t kMaxKeyFile = 1024 * 1024;

std::string value_of(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

void KeyRing::Keys::add(age::Identities found, const std::vector<std::string>& noted, bool ssh,
                        const std::string& source) {
  sources.push_back(source);
  std::vector<std::string> texts = noted;
  for (age::IdentityPtr& identity : found) {
    std::string recipient = identity->recipient();
    if (recipient.empty()) {
      identity = age::remembering(std::move(identity));
      slow.push_back(identity);
    } else if (std::ranges::find(recipients, recipient) != recipients.end()) {
      continue;
    } else {
      texts.push_back(std::move(recipient));
    }
    identities.push_back(std::move(identity));
  }
  for (const std::string& text : texts) {
    if (std::ranges::find(recipients, text) != recipients.end()) continue;
    recipients.push_back(text);
    if (!ssh) age_recipients.push_back(text);
  }
  std::ranges::sort(recipients);
  std::ranges::sort(age_recipients);
}

KeyRing::KeyRing() : keys_(std::make_unique<Keys>()) {}
KeyRing::KeyRing(KeyRing&&) noexcept = default;
KeyRing& KeyRing::operator=(KeyRing&&) noexcept = default;
KeyRing::~KeyRing() = default;

bool KeyRing::empty() const { return keys_->identities.empty(); }
const std::vector<std::string>& KeyRing::recipients() const { return keys_->recipients; }
const std::vector<std::string>& KeyRing::age_recipients() const { return keys_->age_recipients; }
const std::vector<std::string>& KeyRing::sources() const { return keys_->sources; }

std::string operator_key_path(const Environment& environment) {
  std::string folder = value_of(environment, "XDG_CONFIG_HOME");
  if (folder.empty()) folder = value_of(environment, "HOME") + "/.config";
  return folder + "/sops/age/keys.txt";
}

age::Plugins plugins_of(const Environment& environment, age::PluginPrompts* prompts) {
  age::Plugins plugins;
  plugins.prompts = prompts;
  if (const std::string path = value_of(environment, "PATH"); !path.empty()) plugins.search_path = path;
  plugins.environment.clear();
  for (const auto& [name, value] : environment)
    if (!name.starts_with("SOPS_")) plugins.environment.push_back(fmt::format("{}={}", name, value));
  return plugins;
}

Result<KeyRing> KeyRing::of_operator(const Environment& environment, age::PluginPrompts* prompts) {
  const age::Plugins plugins = plugins_of(environment, prompts);
  sops::Lookup lookup = sops::find_identities(environment, plugins);
  if (!lookup.wrong.empty()) return std::unexpected(std::move(lookup.wrong.front()));
  KeyRing ring;
  for (sops::Source& source : lookup.sources)
    ring.keys_->add(std::move(source.identities), source.noted, source.ssh, source.name);
  ring.keys_->problems = std::move(lookup.problems);
  return ring;
}

Result<KeyRing> KeyRing::of_host(const Environment& environment, const std::string& root) {
  std::vector<std::string> places;
  if (const std::string credentials = value_of(environment, "CREDENTIALS_DIRECTORY"); !credentials.empty())
    places.push_back(credentials + "/vmcred.identity");
  places.push_back(join_path(root, "var/lib/vmcred/key.txt"));
  places.push_back(join_path(root, "var/lib/sops-nix/key.txt"));
  for (const std::string& place : places) {
    if (!exists(place)) continue;
    TRY_LET(const Secret text, read_secret(place, kMaxKeyFile));
    TRY_LET(KeyRing ring, from_text(text, "'" + place + "'"));
    ring.keys_->of_host = true;
    return ring;
  }
  // sops-nix (age.sshKeyPaths) and agenix use the host's SSH key by default.
  const std::string ssh_key = join_path(root, "etc/ssh/ssh_host_ed25519_key");
  const std::string with_ssh =
      exists(ssh_key) ? fmt::format(
                            "where its secrets are encrypted to its SSH key (age.sshKeyPaths, age.identityPaths): "
                            "'install -D -m 600 {} {}'; else ",
                            ssh_key, places[places.size() - 2])
                      : std::string();
  return hint(
      fail(Errc::not_found, "this host has no key: neither the credential 'vmcred.identity' nor '{}' nor '{}'",
           places[places.size() - 2], places.back()),
      with_ssh + fmt::format("send it with 'vmcred deploy MACHINE' from where the project is; if that is this host: "
                             "'vmcred vars upload MACHINE --directory {}'",
                             join_path(root, "var/lib/vmcred")));
}

Result<KeyRing> KeyRing::from_text(const Secret& text, const std::string& source) {
  KeyRing ring;
  TRY_LET(age::Identities found, in(fmt::format("read the keys in {}", source), age::parse_identities(text.text())));
  ring.keys_->add(std::move(found), sops::recipients_in_comments(text.text()), age::is_ssh_private_key(text.text()),
                  source);
  return ring;
}

}  // namespace vmcred::store
