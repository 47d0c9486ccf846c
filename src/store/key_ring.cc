#include "store/key_ring.h"

#include <algorithm>
#include <optional>

#include "base/file.h"
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

Result<> KeyRing::Keys::add(std::string_view text, const std::string& source) {
  TRY_LET(age::Identities found, in(fmt::format("read the keys in {}", source), age::parse_identities(text)));
  sources.push_back(source);
  for (age::IdentityPtr& identity : found) {
    std::string recipient = identity->recipient();
    if (!recipient.empty() && std::ranges::find(recipients, recipient) != recipients.end()) continue;
    if (!recipient.empty()) recipients.push_back(std::move(recipient));
    identities.push_back(std::move(identity));
  }
  std::ranges::sort(recipients);
  return {};
}

KeyRing::KeyRing() : keys_(std::make_unique<Keys>()) {}
KeyRing::KeyRing(KeyRing&&) noexcept = default;
KeyRing& KeyRing::operator=(KeyRing&&) noexcept = default;
KeyRing::~KeyRing() = default;

bool KeyRing::empty() const { return keys_->identities.empty(); }
const std::vector<std::string>& KeyRing::recipients() const { return keys_->recipients; }
const std::vector<std::string>& KeyRing::sources() const { return keys_->sources; }

std::string operator_key_path(const Environment& environment) {
  std::string folder = value_of(environment, "XDG_CONFIG_HOME");
  if (folder.empty()) folder = value_of(environment, "HOME") + "/.config";
  return folder + "/sops/age/keys.txt";
}

Result<KeyRing> KeyRing::of_operator(const Environment& environment) {
  KeyRing ring;
  if (const std::string text = value_of(environment, "SOPS_AGE_KEY"); !text.empty())
    TRY(ring.keys_->add(text, "SOPS_AGE_KEY"));
  if (const std::string path = value_of(environment, "SOPS_AGE_KEY_FILE"); !path.empty()) {
    TRY_LET(const Secret text, in("read SOPS_AGE_KEY_FILE", read_secret(path, kMaxKeyFile)));
    TRY(ring.keys_->add(text.text(), "'" + path + "'"));
  }
  const std::string path = operator_key_path(environment);
  if (exists(path)) {
    TRY_LET(const Secret text, read_secret(path, kMaxKeyFile));
    TRY(ring.keys_->add(text.text(), "'" + path + "'"));
  }
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
    return from_text(text, "'" + place + "'");
  }
  return hint(fail(Errc::not_found, "this host has no key: neither the credential 'vmcred.identity' nor '{}' nor '{}'",
                   places[places.size() - 2], places.back()),
              "send it with 'vmcred deploy MACHINE' from where the project is");
}

Result<KeyRing> KeyRing::from_text(const Secret& text, const std::string& source) {
  KeyRing ring;
  TRY(ring.keys_->add(text.text(), source));
  return ring;
}

}  // namespace vmcred::store
