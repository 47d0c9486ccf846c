// What one value is judged by: passwords in URLs, words of people, tokens, randomness.
#include <algorithm>

#include "shape/called.h"
#include "shape/encoded.h"
#include "shape/letters.h"
#include "shape/random.h"
#include "shape/thought_up.h"
#include "shape/walk.h"

namespace vmcred::shape {
namespace {

constexpr std::size_t kLeastRandom = 22;  // 128 bits of base64
constexpr std::size_t kLeastNamed = 16;   // of what is called a key
constexpr std::size_t kLeastHex = 32;

bool of_a_run(char c) { return is_alphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'; }

/// The password of scheme://user:password@host, or nothing.
std::string_view url_password(std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::string_view rest = value.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/ \t\n?"));
  const std::size_t host = authority.rfind('@');
  if (host == std::string_view::npos) return {};
  const std::size_t colon = authority.substr(0, host).find(value.starts_with("iscsi://") ? '%' : ':');
  if (colon == std::string_view::npos) return {};
  const std::string_view password = authority.substr(colon + 1, host - colon - 1);
  return stands_for_a_value(password) ? std::string_view() : password;
}

bool is_path(std::string_view value) {
  return value.starts_with('/') || value.starts_with("./") || value.starts_with("../") || value.starts_with("~/");
}

/// "acme/web/<hash>": a part of it is a word.
bool path_of_words(std::string_view run) {
  constexpr std::size_t kLeastWord = 4;
  if (!run.contains('/')) return false;
  while (!run.empty()) {
    const std::string_view part = run.substr(0, run.find('/'));
    if (part.size() >= kLeastWord && std::ranges::all_of(part, [](char c) { return is_lower(c) || c == '-'; }))
      return true;
    run.remove_prefix(std::min(part.size() + 1, run.size()));
  }
  return false;
}

/// Base64 may begin with a '/' as paths do.
bool base64_of_a_slash(std::string_view value) {
  return value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
             std::string_view::npos &&
         !path_of_words(value) && value.size() % 4 == 0 && random_word(value, kLeastRandom);
}

/// "sha256:" or "sha256-" before the digest, or what Nix calls a public key: "cache.example.org-1:".
bool follows_a_digest_name(std::string_view before) {
  constexpr std::string_view kAlgorithms[] = {"md5",    "sha1",    "sha224", "sha256",  "sha384",
                                              "sha512", "blake2b", "blake3", "blake2s", "crc32"};
  if (!before.ends_with(':') && !before.ends_with('-') && !before.ends_with('=')) return false;
  const std::string small = lowered(before.substr(before.size() - std::min<std::size_t>(before.size(), 12)));
  const std::string_view word = std::string_view(small).substr(0, small.size() - 1);
  return std::ranges::any_of(kAlgorithms, [&](std::string_view name) { return word.ends_with(name); });
}

bool key_of_a_cache(std::string_view before, std::size_t bytes) {
  constexpr std::size_t kPublic = 44;  // base64 of 32 bytes; the private ones have 64
  if (bytes != kPublic || !before.ends_with(':') || before.size() < 4 || !is_digit(before[before.size() - 2]))
    return false;
  return before.substr(0, before.size() - 1).find_last_not_of("0123456789") != std::string_view::npos &&
         before[before.substr(0, before.size() - 1).find_last_not_of("0123456789")] == '-';
}

/// The hash of a store path that stands alone: "0c1m…-hello-2.12".
bool named_by_a_store(std::string_view run) {
  constexpr std::size_t kHash = 32;
  constexpr std::string_view kNix32 = "0123456789abcdfghijklmnpqrsvwxyz";
  return run.size() > kHash + 1 && run[kHash] == '-' && is_letter(run[kHash + 1]) &&
         std::ranges::all_of(run.substr(0, kHash), [&](char c) { return kNix32.contains(c); });
}

/// "web-7d9f8c6b5d-x2x9z", "gke-prod-pool-1a2b3c4d-xyz9": words and short ids, as pods and machines are called.
bool called_in_parts(std::string_view run) {
  constexpr std::size_t kLongestId = 17;
  constexpr std::size_t kLeastWord = 3;
  std::size_t parts = 0;
  bool word = false;
  for (; !run.empty(); ++parts) {
    const std::string_view part = run.substr(0, run.find_first_of("-/_"));
    const bool letters = std::ranges::all_of(part, is_lower);
    if (!std::ranges::all_of(part, [](char c) { return is_lower(c) || is_digit(c); }) ||
        (part.size() > kLongestId && !letters))
      return false;
    word = word || (letters && part.size() >= kLeastWord);
    run.remove_prefix(std::min(part.size() + 1, run.size()));
  }
  return parts > 1 && word;
}

/// "9f86….png": a file that is called by its digest.
bool names_a_file(std::string_view run, std::string_view after) {
  return std::ranges::all_of(run, is_hex) && after.size() > 1 && after[0] == '.' && is_lower(after[1]);
}

bool is_alphabet(std::string_view run) { return lowered(run).contains("abcdefghijklmnopqrstuvwxyz"); }

class Runs {
 public:
  Runs(const Whole& whole, Called called, Suspects& suspects) : whole_(whole), called_(called), suspects_(suspects) {}

  void all(std::string_view value) {
    for (std::size_t at = 0; at < value.size();) {
      if (!of_a_run(value[at])) {
        ++at;
        continue;
      }
      if (starts_with_jwt(value.substr(at))) {
        const auto end =
            value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", at);
        suspects_.add(value.substr(at, end - at), "a JSON web token");
        at = std::min(end, value.size());
        continue;
      }
      if (starts_with_uuid(value.substr(at))) {
        constexpr std::size_t kUuid = 36;
        at += kUuid;
        continue;
      }
      std::size_t end = at;
      while (end < value.size() && of_a_run(value[end]) &&
             !(end > at && value[end - 1] == '-' && starts_with_uuid(value.substr(end))))
        ++end;
      std::size_t padded = end;
      while (padded < value.size() && value[padded] == '=' && padded - end < 2) ++padded;
      one(value, at, padded);
      at = padded;
    }
  }

 private:
  void one(std::string_view value, std::size_t begin, std::size_t end) {
    std::string_view run = value.substr(begin, end - begin);
    const std::size_t dash = run.find('-');
    if (dash != std::string_view::npos && follows_a_digest_name(run.substr(0, dash + 1))) return;
    if (published_word(run) || named_by_a_store(run) || path_of_words(run)) return;
    if (follows_a_digest_name(value.substr(0, begin)) || key_of_a_cache(value.substr(0, begin), run.size())) return;
    while (run.starts_with('-')) run.remove_prefix(1);
    const bool key = called_ == Called::key;
    switch (content_of(run)) {
      case Content::private_key:
        return suspects_.add(run, "a private key");
      case Content::user_and_password:
        if (key) suspects_.add(run, "a password");
        return;
      case Content::public_key:
      case Content::text:
        return;
      case Content::unknown:
        break;
    }
    if (called_ == Called::published || is_alphabet(run) ||
        (!key && (called_in_parts(run) || names_a_file(run, value.substr(end)))))
      return;
    std::string_view digits = run;
    if (digits.starts_with("0x")) digits.remove_prefix(2);
    if (random_hex(digits, key ? kLeastNamed : kLeastHex)) {
      if (!whole_.digests) suspects_.add(run, "a long random text");
      return;
    }
    if (random_word(run, key ? kLeastNamed : kLeastRandom)) suspects_.add(run, "a long random text");
  }

  const Whole& whole_;
  Called called_;
  Suspects& suspects_;
};

}  // namespace

void judge_value(const Whole& whole, std::string_view value, std::string_view name, bool alone, Suspects& suspects) {
  const Called by_name = called(name);
  if (by_name == Called::secret) {
    if (!stands_for_a_value(value)) suspects.add(value, kNameSaysSo);
    return;
  }
  if (const std::string_view password = url_password(value); !password.empty())
    return suspects.add(password, "a URL with a password");
  if (value.contains("://") || (is_path(value) && !base64_of_a_slash(value))) return;
  if (by_name != Called::published && thought_up(value, alone)) return suspects.add(value, "a password");
  Runs(whole, by_name, suspects).all(value);
}

}  // namespace vmcred::shape
