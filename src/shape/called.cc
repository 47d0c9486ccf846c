#include "shape/called.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "shape/letters.h"

namespace vmcred::shape {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::string_view kSecret[] = {"password",  "passwd",  "passphrase",    "passcode", "passwords",  "pass",
                                        "pwd",       "pw",      "pswd",          "secret",   "secrets",    "token",
                                        "apikey",    "psk",     "authorization", "privkey",  "privatekey", "secretkey",
                                        "accesskey", "authkey", "masterkey",     "otp",      "totp",       "passin",
                                        "passout",   "userpwd"};
// Words that end in one of these are written without a joint: "dbpassword", "clientsecret", "rootpw".
constexpr std::string_view kSecretEnds[] = {"password", "passwd", "passphrase", "secret", "token",
                                            "apikey",   "pwd",    "rootpw",     "dbpass"};
// "private key", "account key"; "key" alone says little.
constexpr std::string_view kOfAKey[] = {
    "api",         "private",    "access",    "auth",    "encryption", "signing", "secret",     "master",  "shared",
    "preshared",   "pre-shared", "account",   "hmac",    "storage",    "license", "decryption", "session", "app",
    "application", "server",     "symmetric", "service", "webhook",    "admin",   "jwt",        "cookie"};
constexpr std::string_view kKey[] = {"key",         "keys",   "seed",   "cred",          "creds", "credential",
                                     "credentials", "auth",   "salt",   "pepper",        "hmac",  "entropy",
                                     "mnemonic",    "cookie", "bearer", "privatekeyfile"};
// The last word of what is about a secret, and is none.
constexpr std::string_view kAbout[] = {
    "file",       "files",     "path",     "paths",     "dir",      "directory",  "folder",   "url",
    "urls",       "uri",       "id",       "ids",       "name",     "names",      "ttl",      "length",
    "len",        "min",       "max",      "size",      "count",    "number",     "type",     "kind",
    "policy",     "algorithm", "alg",      "header",    "endpoint", "lifetime",   "expiry",   "expires",
    "expiration", "timeout",   "duration", "age",       "enabled",  "disabled",   "required", "authentication",
    "backend",    "provider",  "store",    "manager",   "ref",      "reference",  "source",   "format",
    "prefix",     "suffix",    "field",    "mode",      "issuer",   "audience",   "host",     "port",
    "service",    "command",   "cmd",      "program",   "agent",    "hint",       "prompt",   "label",
    "env",        "var",       "variable", "second",    "seconds",  "minute",     "minutes",  "hours",
    "days",       "limit",     "rotation", "version",   "rounds",   "encoding",   "strategy", "method",
    "scope",      "scopes",    "user",     "username",  "owner",    "group",      "date",     "at",
    "by",         "generator", "bits",     "strength",  "class",    "template",   "title",    "description",
    "text",       "location",  "region",   "namespace", "chars",    "characters", "charset",  "complexity",
    "history",    "interval",  "period",   "window",    "rate",     "to",         "until",    "valid",
    "validity"};
constexpr std::string_view kPublished[] = {
    "public",     "pub",         "pubkey",      "pubkeys",      "publickey", "publickeys", "hash",     "hashes",
    "digest",     "checksum",    "sum",         "sha",          "sha1",      "sha224",     "sha256",   "sha384",
    "sha512",     "md5",         "blake3",      "blake2b",      "rev",       "revision",   "commit",   "uuid",
    "guid",       "fingerprint", "thumbprint",  "integrity",    "roothash",  "usrhash",    "etag",     "partuuid",
    "machineid",  "recipient",   "recipients",  "image",        "version",   "serial",     "wwn",      "wwid",
    "cert",       "certs",       "certificate", "certificates", "ca",        "id",         "ids",      "colors",
    "authorized", "known",       "path",        "paths",        "store",     "checksums",  "hostkeys", "cid",
    "nonce",      "iv",          "signature",   "buildid",      "trusted",   "host_key",   "crt",      "csr",
    "generation", "closure",     "drv",         "tag",          "ref"};
constexpr std::string_view kFirstOfABoolean[] = {"no",      "is",   "has",    "use", "allow", "enable",
                                                 "disable", "skip", "permit", "max", "min",   "num"};

bool in(Words words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

/// "AccessToken_TTL" -> access, token, ttl.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const auto finish = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (!is_alphanumeric(name[i])) {
      finish();
      continue;
    }
    const bool humps =
        i > 0 && is_upper(name[i]) &&
        (is_lower(name[i - 1]) || (i + 1 < name.size() && is_lower(name[i + 1]) && is_upper(name[i - 1])));
    if (humps) finish();
    word += as_lower(name[i]);
  }
  finish();
  return words;
}

bool secret_word(const std::vector<std::string>& words, std::size_t at) {
  const std::string& word = words[at];
  if (word == "pass" && at + 1 < words.size() && words[at + 1] == "through") return false;
  if (in(kSecret, word)) return true;
  if (std::ranges::any_of(kSecretEnds, [&](std::string_view end) { return word.ends_with(end); })) return true;
  return word == "key" && at > 0 && in(kOfAKey, words[at - 1]);
}

}  // namespace

Called called(std::string_view name) {
  constexpr std::size_t kLongest = 256;
  if (name.empty() || name.size() > kLongest) return Called::nothing;
  const std::vector<std::string> words = words_of(name);
  if (words.empty()) return Called::nothing;
  const auto any = [&](Words list) {
    return std::ranges::any_of(words, [&](const std::string& word) { return in(list, word); });
  };
  constexpr std::string_view kOpen[] = {"public",    "pub",        "pubkey",     "pubkeys",
                                        "publickey", "publickeys", "authorized", "fingerprint"};
  if (any(kOpen)) return Called::published;
  // "GPG_KEY" is the id of whose signatures one takes.
  constexpr std::string_view kPgp[] = {"gpg", "pgp", "openpgp"};
  if (words.size() == 2 && in(kPgp, words[0]) && (words[1] == "key" || words[1] == "keys")) return Called::published;
  // QEMU's password-secret= and key-secret= name an object that has the secret.
  if (words.size() > 1 && words.back() == "secret" &&
      (words[words.size() - 2] == "password" || name.ends_with("key-secret")))
    return Called::nothing;
  const bool about = in(kAbout, words.back()) || in(kFirstOfABoolean, words.front());
  if (!about) {
    for (std::size_t i = 0; i < words.size(); ++i)
      if (secret_word(words, i)) return Called::secret;
    if (in(kKey, words.back())) return Called::key;
  }
  return any(kPublished) ? Called::published : Called::nothing;
}

bool stands_for_a_value(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.empty()) return true;
  constexpr std::string_view kStarts[] = {
      "/",         "./",     "../",     "~/",       "%",     "${",           "$(",       "<",      "{{",
      "@/",        "@{",     "file:",   "path:",    "env:",  "vault:",       "kv:",      "op:",    "secret:",
      "config.",   "ref+",   "ssm:",    "arn:",     "ENC[",  "ageenc:",      "sops:",    "fd:",    "cred:",
      "keyring:",  "!vault", "http://", "https://", "unix:", "ssh-ed25519 ", "ssh-rsa ", "ecdsa-", "sk-ssh-",
      "sk-ecdsa-", "age1",   "&{"};
  if (std::ranges::any_of(kStarts, [&](std::string_view start) { return text.starts_with(start); })) return true;
  // $NAME, not $6$…: a variable
  if (text.front() == '$' && text.size() > 1 &&
      std::ranges::all_of(text.substr(1), [](char c) { return is_alphanumeric(c) || c == '_'; }) && !is_digit(text[1]))
    return true;
  if (std::ranges::all_of(text, [&](char c) { return c == text.front(); }) && !is_digit(text.front()))
    return true;  // ***, xxxx
  const std::string word = lowered(text);
  constexpr std::string_view kWords[] = {"true",     "false",    "yes",       "no",         "on",      "off",
                                         "none",     "null",     "nil",       "never",      "always",  "auto",
                                         "required", "optional", "enabled",   "disabled",   "default", "prompt",
                                         "ask",      "stdin",    "redacted",  "[redacted]", "n/a",     "passphrase",
                                         "password", "bearer",   "undefined", "unset",      "todo",    "tbd"};
  return std::ranges::find(kWords, std::string_view(word)) != std::ranges::end(kWords);
}

}  // namespace vmcred::shape
