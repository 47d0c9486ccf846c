#include "shape/issued.h"

#include <algorithm>

#include "shape/letters.h"

namespace vmcred::shape {
namespace {

struct Prefix {
  std::string_view prefix;
  std::size_t least;  // letters of a token that must follow
  std::size_t whole;  // that the issuer writes at least
  std::string_view what;
};

constexpr Prefix kPrefixes[] = {
    {"AGE-SECRET-KEY-1", 8, 58, "an age secret key"},
    {"AGE-SECRET-KEY-PQ-1", 8, 58, "an age secret key"},
    {"AGE-PLUGIN-", 8, 40, "an age plugin identity"},
    {"AKIA", 16, 16, "an AWS access key"},
    {"ASIA", 16, 16, "an AWS access key"},
    {"ABIA", 16, 16, "an AWS access key"},
    {"ghp_", 16, 36, "a GitHub token"},
    {"gho_", 16, 36, "a GitHub token"},
    {"ghu_", 16, 36, "a GitHub token"},
    {"ghs_", 16, 36, "a GitHub token"},
    {"ghr_", 16, 36, "a GitHub token"},
    {"github_pat_", 16, 60, "a GitHub token"},
    {"glpat-", 16, 20, "a GitLab token"},
    {"glptt-", 16, 20, "a GitLab token"},
    {"gldt-", 16, 20, "a GitLab token"},
    {"glrt-", 16, 20, "a GitLab token"},
    {"glcbt-", 16, 20, "a GitLab token"},
    {"glsa_", 30, 40, "a Grafana token"},
    {"glc_eyJ", 20, 40, "a Grafana token"},
    {"xoxb-", 8, 40, "a Slack token"},
    {"xoxp-", 8, 40, "a Slack token"},
    {"xoxa-", 8, 40, "a Slack token"},
    {"xoxs-", 8, 40, "a Slack token"},
    {"xoxe-", 8, 40, "a Slack token"},
    {"xoxr-", 8, 40, "a Slack token"},
    {"xapp-", 8, 40, "a Slack token"},
    {"hooks.slack.com/services/T", 20, 40, "a Slack webhook"},
    {"discord.com/api/webhooks/", 30, 60, "a Discord webhook"},
    {"sk_live_", 12, 24, "a Stripe key"},
    {"rk_live_", 12, 24, "a Stripe key"},
    {"sk_test_", 12, 24, "a Stripe key"},
    {"rk_test_", 12, 24, "a Stripe key"},
    {"whsec_", 20, 32, "a webhook secret"},
    {"sk-ant-", 16, 80, "an API key"},
    {"sk-proj-", 16, 40, "an API key"},
    {"sk-or-v1-", 16, 40, "an API key"},
    {"sk-", 40, 48, "an API key"},
    {"gsk_", 30, 50, "an API key"},
    {"hf_", 30, 34, "a Hugging Face token"},
    {"r8_", 30, 37, "a Replicate token"},
    {"AIza", 30, 35, "a Google API key"},
    {"ya29.", 20, 60, "a Google token"},
    {"GOCSPX-", 20, 28, "a Google secret"},
    {"npm_", 30, 36, "an npm token"},
    {"pypi-AgE", 30, 60, "a PyPI token"},
    {"rubygems_", 40, 48, "a RubyGems token"},
    {"dckr_pat_", 20, 27, "a Docker token"},
    {"dop_v1_", 30, 64, "a DigitalOcean token"},
    {"doo_v1_", 30, 64, "a DigitalOcean token"},
    {"hvs.", 16, 24, "a Vault token"},
    {"hvb.", 16, 24, "a Vault token"},
    {"atlasv1.", 30, 60, "a Terraform token"},
    {"SG.", 16, 60, "a SendGrid key"},
    {"tskey-", 16, 30, "a Tailscale key"},
    {"shpat_", 30, 32, "a Shopify token"},
    {"shpss_", 30, 32, "a Shopify token"},
    {"shpca_", 30, 32, "a Shopify token"},
    {"sq0csp-", 30, 43, "a Square secret"},
    {"sq0atp-", 20, 22, "a Square token"},
    {"sntrys_", 30, 60, "a Sentry token"},
    {"sntryu_", 30, 60, "a Sentry token"},
    {"dapi", 32, 32, "a Databricks token"},
    {"dp.pt.", 30, 40, "a Doppler token"},
    {"pul-", 40, 40, "a Pulumi token"},
    {"lin_api_", 30, 40, "a Linear key"},
    {"figd_", 30, 40, "a Figma token"},
    {"PMAK-", 30, 58, "a Postman key"},
    {"NRAK-", 20, 27, "a New Relic key"},
    {"ATATT3", 30, 60, "an Atlassian token"},
    {"EAACEdEose0cBA", 20, 60, "a Facebook token"},
    {"LTAI", 16, 20, "an Alibaba access key"},
    {"pscale_tkn_", 30, 43, "a PlanetScale token"},
    {"pscale_pw_", 30, 43, "a PlanetScale password"},
    {"ops_eyJ", 30, 60, "a 1Password token"},
    {"PuTTY-User-Key-File-", 1, 1, "a private key"},
    {"$1$", 8, 22, "a password hash"},
    {"$5$", 8, 43, "a password hash"},
    {"$6$", 8, 86, "a password hash"},
    {"$7$", 8, 43, "a password hash"},
    {"$y$", 8, 43, "a password hash"},
    {"$gy$", 8, 43, "a password hash"},
    {"$2a$", 8, 53, "a password hash"},
    {"$2b$", 8, 53, "a password hash"},
    {"$2y$", 8, 53, "a password hash"},
    {"$apr1$", 8, 22, "a password hash"},
    {"$argon2", 8, 40, "a password hash"},
    {"$pbkdf2", 8, 40, "a password hash"},
    {"$scrypt$", 8, 40, "a password hash"},
    {"{SSHA}", 20, 28, "a password hash"},
    {"{SSHA512}", 20, 28, "a password hash"},
    {"SCRAM-SHA-256$", 20, 60, "a password hash"},
};

bool of_a_token(char c) { return is_alphanumeric(c) || c == '-' || c == '_'; }
bool of_a_hash(char c) {
  return of_a_token(c) || c == '.' || c == '$' || c == '/' || c == '=' || c == ',' || c == '+' || c == ':';
}

std::optional<Issued> first_of(std::string_view text, const Prefix& shape) {
  const bool hash = shape.what == "a password hash" || shape.prefix.find('.') != std::string_view::npos;
  for (std::size_t at = text.find(shape.prefix); at != std::string_view::npos; at = text.find(shape.prefix, at + 1)) {
    if (at > 0 && is_alphanumeric(text[at - 1]) && is_alphanumeric(shape.prefix.front()) && shape.prefix != "atlasv1.")
      continue;  // in the middle of a word
    const std::string_view rest = text.substr(at + shape.prefix.size());
    const auto end = std::ranges::find_if_not(rest, hash ? of_a_hash : of_a_token);
    const auto bytes = static_cast<std::size_t>(end - rest.begin());
    if (bytes < shape.least) continue;
    const std::string_view word = rest.substr(0, bytes);
    const bool mixed = std::ranges::any_of(word, is_digit) && std::ranges::any_of(word, is_letter);
    if (shape.prefix.size() == 4 && is_letter(shape.prefix.back()) && !mixed)
      continue;  // "AKIA" as the start of a word
    return Issued{at, shape.prefix.size() + bytes, shape.what, bytes >= shape.whole && mixed};
  }
  return {};
}

/// Telegram's: eight to ten digits, a colon, 35 letters that begin with AA.
std::optional<Issued> telegram_in(std::string_view text) {
  for (std::size_t at = text.find(":AA"); at != std::string_view::npos; at = text.find(":AA", at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && is_digit(text[begin - 1])) --begin;
    const std::string_view rest = text.substr(at + 1);
    const auto bytes = static_cast<std::size_t>(std::ranges::find_if_not(rest, of_a_token) - rest.begin());
    if (at - begin >= 8 && at - begin <= 10 && bytes >= 33 && bytes <= 36)
      return Issued{begin, at + 1 + bytes - begin, "a Telegram token", true};
  }
  return {};
}

}  // namespace

std::optional<Issued> issued_in(std::string_view text) {
  std::optional<Issued> first;
  const auto take = [&](std::optional<Issued> found) {
    if (found && (!first || found->begin < first->begin)) first = found;
  };
  for (const Prefix& shape : kPrefixes) take(first_of(text, shape));
  take(telegram_in(text));
  return first;
}

}  // namespace vmcred::shape
