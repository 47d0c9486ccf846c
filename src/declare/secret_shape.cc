#include "declare/secret_shape.h"

#include <algorithm>
#include <array>

namespace vmcred::declare {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
bool upper(char c) { return c >= 'A' && c <= 'Z'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool alphanumeric(char c) { return lower(c) || upper(c) || digit(c); }
bool base64_like(char c) { return alphanumeric(c) || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'; }
bool hex(char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

struct Prefix {
  std::string_view prefix;
  std::size_t least;  // letters and digits (and - _) that must follow
  std::string_view what;
};

constexpr Prefix kPrefixes[] = {
    {"AGE-SECRET-KEY-1", 8, "an age secret key"},
    {"AGE-PLUGIN-", 8, "an age plugin identity"},
    {"AKIA", 16, "an AWS access key"},
    {"ASIA", 16, "an AWS access key"},
    {"ghp_", 16, "a GitHub token"},
    {"gho_", 16, "a GitHub token"},
    {"ghu_", 16, "a GitHub token"},
    {"ghs_", 16, "a GitHub token"},
    {"ghr_", 16, "a GitHub token"},
    {"github_pat_", 16, "a GitHub token"},
    {"glpat-", 16, "a GitLab token"},
    {"xoxb-", 8, "a Slack token"},
    {"xoxp-", 8, "a Slack token"},
    {"xoxa-", 8, "a Slack token"},
    {"xapp-", 8, "a Slack token"},
    {"sk_live_", 12, "a Stripe key"},
    {"rk_live_", 12, "a Stripe key"},
    {"sk-ant-", 16, "an API key"},
    {"sk-proj-", 16, "an API key"},
    {"AIza", 30, "a Google API key"},
    {"npm_", 30, "an npm token"},
    {"dop_v1_", 30, "a DigitalOcean token"},
    {"hvs.", 16, "a Vault token"},
    {"SG.", 16, "a SendGrid key"},
    {"$6$", 8, "a password hash"},
    {"$5$", 8, "a password hash"},
    {"$y$", 8, "a password hash"},
    {"$2a$", 8, "a password hash"},
    {"$2b$", 8, "a password hash"},
    {"$2y$", 8, "a password hash"},
    {"$argon2", 8, "a password hash"},
};

bool holds_key_shape(std::string_view text, const Prefix& shape) {
  for (std::size_t at = text.find(shape.prefix); at != std::string_view::npos; at = text.find(shape.prefix, at + 1)) {
    if (at > 0 && alphanumeric(text[at - 1])) continue;  // in the middle of a word
    const std::string_view rest = text.substr(at + shape.prefix.size());
    const auto end = std::ranges::find_if_not(
        rest, [](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '$' || c == '/' || c == '='; });
    if (static_cast<std::size_t>(end - rest.begin()) >= shape.least) return true;
  }
  return false;
}

// three base64 parts of which the first two are JSON objects (RFC 7519)
bool holds_jwt(std::string_view text) {
  const std::size_t head = text.find("eyJ");
  if (head == std::string_view::npos) return false;
  return text.find(".eyJ", head) != std::string_view::npos;
}

// scheme://user:password@host
bool holds_url_password(std::string_view text) {
  for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", at + 1)) {
    const std::string_view rest = text.substr(at + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/ \t\n?#"));
    const std::size_t host = authority.rfind('@');
    if (host == std::string_view::npos) continue;
    const std::size_t colon = authority.substr(0, host).find(':');
    if (colon != std::string_view::npos && colon + 1 < host) return true;
  }
  return false;
}

bool ssh_public_key(std::string_view text) {
  constexpr std::string_view kinds[] = {"ssh-ed25519 AAAA", "ssh-rsa AAAA", "ecdsa-sha2-nistp", "sk-ssh-ed25519@openssh.com AAAA",
                                        "sk-ecdsa-sha2-nistp"};
  return std::ranges::any_of(kinds, [&](std::string_view kind) { return text.find(kind) != std::string_view::npos; });
}

enum class Pem { none, open, secret };
Pem pem_kind(std::string_view text) {
  Pem kind = Pem::none;
  for (std::size_t at = text.find("-----BEGIN "); at != std::string_view::npos; at = text.find("-----BEGIN ", at + 1)) {
    const std::string_view label = text.substr(at + 11, text.find("-----", at + 11) - at - 11);
    if (!label.ends_with("PUBLIC KEY") && label.find("CERTIFICATE") == std::string_view::npos && !label.ends_with("CRL"))
      return Pem::secret;
    kind = Pem::open;
  }
  return kind;
}

// Random base64 changes between lower case, upper case and digits at 58 % of its steps (σ 7.5 % at 43 steps), words in
// camel case, paths and names with dashes below 40 %.
bool random_base64(std::string_view token) {
  constexpr std::size_t kLeast = 22;  // 128 bits
  while (token.ends_with('=')) token.remove_suffix(1);
  if (token.size() < kLeast) return false;
  const auto kind = [](char c) { return lower(c) ? 0 : upper(c) ? 1 : digit(c) ? 2 : 3; };
  std::array<std::size_t, 4> count{};
  std::size_t changes = 0;
  for (std::size_t i = 0; i < token.size(); ++i) {
    ++count.at(static_cast<std::size_t>(kind(token[i])));
    if (i > 0 && alphanumeric(token[i]) && alphanumeric(token[i - 1]) && kind(token[i]) != kind(token[i - 1])) ++changes;
  }
  if (count[0] == 0 || count[1] == 0 || count[2] == 0) return false;
  return changes * 100 >= (token.size() - 1) * 40;
}

bool long_hex(std::string_view token) {
  constexpr std::size_t kLeast = 32;  // 128 bits
  if (token.size() < kLeast || !std::ranges::all_of(token, hex)) return false;
  std::array<bool, 256> seen{};
  for (const char c : token) seen.at(static_cast<unsigned char>(c)) = true;
  return std::ranges::count(seen, true) >= 8;  // not a row of zeros
}

bool random_text(std::string_view text) {
  for (std::size_t start = 0; start < text.size();) {
    if (!base64_like(text[start])) {
      ++start;
      continue;
    }
    std::size_t end = start;
    while (end < text.size() && base64_like(text[end])) ++end;
    const std::string_view token = text.substr(start, end - start);
    if (random_base64(token) || long_hex(token)) return true;
    // what stands behind a key's name: PASSWORD=…
    const std::size_t equals = token.find('=');
    if (equals != std::string_view::npos && (random_base64(token.substr(equals + 1)) || long_hex(token.substr(equals + 1))))
      return true;
    start = end;
  }
  return false;
}

}  // namespace

std::optional<std::string_view> looks_like_secret(std::string_view text) {
  const Pem pem = pem_kind(text);
  if (pem == Pem::secret) return "a private key";
  for (const Prefix& shape : kPrefixes)
    if (holds_key_shape(text, shape)) return shape.what;
  if (holds_jwt(text)) return "a JSON web token";
  if (holds_url_password(text)) return "a URL with a password";
  if (pem == Pem::open || ssh_public_key(text)) return {};
  if (random_text(text)) return "a long random text";
  return {};
}

}  // namespace vmcred::declare
