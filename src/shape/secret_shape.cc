#include "shape/secret_shape.h"

#include <algorithm>

#include "shape/called.h"
#include "shape/encoded.h"
#include "shape/issued.h"
#include "shape/letters.h"
#include "shape/walk.h"

namespace vmcred::shape {
namespace {

bool names_digests(std::string_view text) {
  constexpr std::string_view kAlgorithms[] = {"md5",     "sha1",      "sha224",   "sha256", "sha384",
                                              "sha512",  "blake2b",   "blake3",   "b2sum",  "md5sum",
                                              "sha1sum", "sha256sum", "sha512sum"};
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_alphanumeric(text[end])) ++end;
    const std::string word = lowered(text.substr(at, end - at));
    if (std::ranges::find(kAlgorithms, std::string_view(word)) != std::end(kAlgorithms)) return true;
    at = std::max(end, at + 1);
  }
  return false;
}

/// "9f86… disk.img", as sha256sum prints it.
bool checksum_line(std::string_view text) {
  constexpr std::size_t kShortest = 32;
  const auto digest = static_cast<std::size_t>(std::ranges::find_if_not(text, is_hex) - text.begin());
  if (digest < kShortest || digest >= text.size() || text[digest] != ' ') return false;
  const std::size_t file = text.find_first_not_of(" *", digest);
  return file != std::string_view::npos && text.find_first_of(" \t=", file) == std::string_view::npos;
}

}  // namespace

void Suspects::add(std::size_t begin, std::size_t bytes, std::string_view what) {
  if (bytes > 0 && !known(begin, bytes)) all_.push_back({begin, bytes, what});
}

bool Suspects::known(std::size_t begin, std::size_t bytes) const {
  const auto overlaps = [&](const Suspect& each) {
    return begin < each.begin + each.bytes && each.begin < begin + bytes;
  };
  return std::ranges::any_of(all_, overlaps) || std::ranges::any_of(left_out_, overlaps);
}

std::vector<Suspect> Suspects::sorted() && {
  std::ranges::sort(all_, {}, &Suspect::begin);
  return std::move(all_);
}

std::vector<Suspect> secrets_in(std::string_view text, std::string_view name) {
  Suspects suspects(text);
  const Whole whole = {
      .text = text, .digests = names_digests(text) || checksum_line(text), .encrypted = text.contains("keyid")};
  bool open_block = false;
  for (const Block& block : pem_blocks(text)) {
    if (block.secret) {
      suspects.add(block.begin, block.bytes, "a private key");
    } else {
      suspects.leave_out(block.begin, block.bytes);
      open_block = true;
    }
  }
  // What sops encrypted.
  for (std::size_t at = text.find("ENC["); at != std::string_view::npos; at = text.find("ENC[", at + 1))
    suspects.leave_out(at, std::min(text.find(']', at), text.size()) - at);
  for (std::size_t at = 0; at < text.size();) {
    const auto found = issued_in(text.substr(at));
    if (!found) break;
    suspects.add(at + found->begin, found->bytes, found->what);
    at += found->begin + found->bytes;
  }
  const bool says_so = called(name) == Called::secret;
  walk_words(whole, text, says_so ? std::string_view() : name, suspects);
  if (says_so && suspects.none() && !open_block && !stands_for_a_value(text)) suspects.add(0, text.size(), kNameSaysSo);
  return std::move(suspects).sorted();
}

std::optional<std::string_view> looks_like_secret(std::string_view text, std::string_view name) {
  const std::vector<Suspect> all = secrets_in(text, name);
  if (all.empty()) return {};
  return all.front().what;
}

}  // namespace vmcred::shape
