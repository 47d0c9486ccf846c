#include "age/keys.h"

#include "age/bech32.h"
#include "age/hybrid.h"
#include "age/plugin.h"
#include "age/ssh.h"
#include "age/x25519.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

/// An identity a line; "line N" stands before an error.
Result<Identities> parse_lines(std::string_view text, const Plugins& plugins) {
  Identities found;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    TRY_LET(IdentityPtr one, in(fmt::format("line {}", number), parse_identity(line, plugins)));
    found.push_back(std::move(one));
  }
  return found;
}

}  // namespace

std::vector<Result<std::optional<Secret>>> Identity::unwrap_all(std::span<const std::span<const Stanza>> files) const {
  std::vector<Result<std::optional<Secret>>> results;
  results.reserve(files.size());
  for (const auto& stanzas : files) results.push_back(unwrap(stanzas));
  return results;
}

Result<RecipientPtr> parse_recipient(std::string_view text) { return parse_recipient(text, Plugins{}); }

Result<RecipientPtr> parse_recipient(std::string_view text, const Plugins& plugins) {
  text = trimmed(text);
  if (text.starts_with("AGE-")) {
    return hint(fail(Errc::invalid_data, "this is a private key, not a recipient"),
                "give the public key that begins with 'age1'; take care who saw the private one");
  }
  const std::string doing = fmt::format("recipient '{}'", text);
  if (is_hybrid_recipient(text)) return in("recipient 'age1pq1…'", parse_hybrid_recipient(text));
  if (is_plugin_recipient(text)) return in(doing, plugin_recipient(text, plugins));
  if (text.starts_with("age1")) return in(doing, parse_x25519_recipient(text));
  if (text.starts_with("ssh-")) {
    auto key = in(doing, parse_ssh_recipient(text));
    if (!key && key.error().hint.empty()) key.error().hint = "copy the whole line of its .pub file";
    return key;
  }
  return hint(fail(Errc::invalid_data, "this kind of recipient is not known"),
              "a recipient begins with 'age1', 'age1pq1', 'ssh-ed25519' or 'ssh-rsa'");
}

Result<IdentityPtr> parse_identity(std::string_view text) { return parse_identity(text, Plugins{}); }

Result<IdentityPtr> parse_identity(std::string_view text, const Plugins& plugins) {
  text = trimmed(text);
  if (text.starts_with("AGE-SECRET-KEY-1")) return in("identity", parse_x25519_identity(text));
  if (text.starts_with("AGE-SECRET-KEY-PQ-1")) return in("identity", parse_hybrid_identity(text));
  if (is_plugin_identity(text)) return in("identity", plugin_identity(text, plugins));
  if (text.starts_with("age1")) {
    return hint(fail(Errc::invalid_data, "this is a recipient (a public key), not an identity"),
                "give the private key that begins with 'AGE-SECRET-KEY-1'");
  }
  return hint(fail(Errc::invalid_data, "this kind of identity is not known"),
              "an identity begins with 'AGE-SECRET-KEY-1', 'AGE-SECRET-KEY-PQ-1' or 'AGE-PLUGIN-'");
}

Result<Identities> parse_identities(std::string_view text) { return parse_identities(text, Plugins{}); }

Result<Identities> parse_identities(std::string_view text, const Plugins& plugins) {
  if (text.starts_with("age-encryption.org/v1") || text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"))
    return hint(fail(Errc::denied, "the key file is itself encrypted, by a passphrase"),
                "let age ask for it: SOPS_AGE_KEY_CMD='age -d FILE', in place of naming the file");
  if (is_ssh_private_key(text)) {
    TRY_LET(SshPrivateKey key, parse_ssh_private_key(text));
    return ssh_identities(std::move(key));
  }
  TRY_LET(Identities found, parse_lines(text, plugins));
  if (found.empty()) return fail(Errc::not_found, "no identity in it");
  return found;
}

KeyPair generate_key_pair(Randomness& randomness) {
  const Secret secret = randomness.secret(32);
  const X25519Key key = *X25519Key::from(secret.bytes());
  return {.identity = bech32_encode_secret(kX25519IdentityPrefix, secret.bytes()),
          .recipient = x25519_recipient_text(key.point())};
}

}  // namespace vmcred::age
