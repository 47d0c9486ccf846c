#include "age/trusted_signers.h"

#include <algorithm>
#include <array>

#include "age/sshsig.h"

namespace vmcred::age {
namespace {

constexpr std::size_t kMaxFile = 1024 * 1024;
constexpr std::size_t kMaxSigners = 4096;
constexpr std::array<std::string_view, 8> kKeyTypes = {"ssh-ed25519",
                                                       "ssh-rsa",
                                                       "ecdsa-sha2-nistp256",
                                                       "ecdsa-sha2-nistp384",
                                                       "ecdsa-sha2-nistp521",
                                                       "sk-ssh-ed25519@openssh.com",
                                                       "sk-ecdsa-sha2-nistp256@openssh.com",
                                                       "ssh-dss"};

/// Takes one word off the front; a quotation keeps blanks together and its marks stay.
std::string_view take_word(std::string_view& rest) {
  const std::size_t start = rest.find_first_not_of(" \t");
  if (start == std::string_view::npos) return rest = {};
  rest.remove_prefix(start);
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || (rest[end] != ' ' && rest[end] != '\t')); ++end)
    if (rest[end] == '"') quoted = !quoted;
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

/// Takes what stands before the next comma outside of quotations off the front.
std::string_view take_item(std::string_view& rest) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != ','); ++end)
    if (rest[end] == '"') quoted = !quoted;
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return item;
}

/// YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, each with or without a Z.
Result<SystemTime> parse_time(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || (text.size() != 8 && text.size() != 12 && text.size() != 14))
    return fail(Errc::invalid_data, "'{}' is no time of the form 20260131 or 202601311200", text);
  std::string whole(text);
  whole.resize(14, '0');
  const std::string_view t = whole;
  return parse_rfc3339(fmt::format("{}-{}-{}T{}:{}:{}Z", t.substr(0, 4), t.substr(4, 2), t.substr(6, 2), t.substr(8, 2),
                                   t.substr(10, 2), t.substr(12, 2)));
}

}  // namespace

Result<> TrustedSigners::read_option(std::string_view option, Signer& signer) {
  const std::size_t equals = option.find('=');
  const std::string_view name = option.substr(0, equals);
  std::string_view value = equals == std::string_view::npos ? std::string_view() : option.substr(equals + 1);
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
  if (name == "namespaces" && !value.empty()) {
    while (!value.empty()) signer.name_spaces.emplace_back(take_item(value));
    return {};
  }
  if (name == "valid-after") {
    TRY_LET(signer.after, parse_time(value));
    return {};
  }
  if (name == "valid-before") {
    TRY_LET(signer.before, parse_time(value));
    return {};
  }
  if (name == "cert-authority") return fail(Errc::invalid_data, "certificate authorities are not supported");
  return fail(Errc::invalid_data, "the option '{}' is unknown", name);
}

Result<TrustedSigners> TrustedSigners::parse(std::string_view text) {
  if (text.size() > kMaxFile) return fail(Errc::invalid_data, "it is larger than {} bytes", kMaxFile);
  TrustedSigners all;
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string_view rest = line;
    const std::string_view name = take_word(rest);
    if (name.empty() || name.starts_with('#')) continue;
    const std::string place = fmt::format("line {}", number);
    Signer signer{.name = std::string(name), .wire = {}};
    std::string_view word = take_word(rest);
    if (std::ranges::find(kKeyTypes, word) == kKeyTypes.end()) {
      while (!word.empty()) TRY(in(place, read_option(take_item(word), signer)));
      word = take_word(rest);
    }
    if (std::ranges::find(kKeyTypes, word) == kKeyTypes.end())
      return hint(fail(Errc::invalid_data, "{}: after the name and its options no key follows", place),
                  "a line is: NAME ssh-ed25519 AAAA…");
    if (word != kKeyTypes.front()) continue;
    TRY_LET(const SshPublicKey key, in(place, parse_ssh_public_key(fmt::format("{} {}", word, take_word(rest)))));
    signer.wire = key.wire;
    if (all.signers_.size() == kMaxSigners) return fail(Errc::invalid_data, "more than {} signers", kMaxSigners);
    all.signers_.push_back(std::move(signer));
  }
  return all;
}

const TrustedSigners::Signer* TrustedSigners::find(const std::string& wire, std::string_view name_space,
                                                   SystemTime now) const {
  const auto fits = [&](const Signer& signer) {
    const bool for_this =
        signer.name_spaces.empty() || std::ranges::find(signer.name_spaces, name_space) != signer.name_spaces.end();
    return signer.wire == wire && for_this && signer.after <= now && now < signer.before;
  };
  const auto found = std::ranges::find_if(signers_, fits);
  return found == signers_.end() ? nullptr : &*found;
}

bool TrustedSigners::trusts(const SshPublicKey& key, std::string_view name_space, SystemTime now) const {
  return find(key.wire, name_space, now) != nullptr;
}

Result<std::string> TrustedSigners::verify(std::string_view signature, std::string_view name_space, Bytes message,
                                           SystemTime now) const {
  TRY_LET(const SshPublicKey key, ssh_verify(signature, name_space, message));
  if (const Signer* const signer = find(key.wire, name_space, now)) return signer->name;
  return fail(Errc::denied, "it is signed with a key that is not trusted: {}", key.line());
}

}  // namespace vmcred::age
