#include "age/sshsig.h"

#include <algorithm>

#include "base/base64.h"
#include "base/crypto.h"
#include "base/sha256.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kMagic = "SSHSIG";
constexpr std::string_view kVersion{"\0\0\0\1", 4};
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----\n";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----\n";
constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::string_view kSha512 = "sha512";
constexpr std::string_view kSha256 = "sha256";
constexpr std::size_t kColumns = 70;
constexpr std::size_t kMaxSignature = 16 * 1024;

/// What is really signed: the message's hash with what it is for.
Result<std::string> signed_bytes(std::string_view name_space, std::string_view hash, Bytes message) {
  std::string out(kMagic);
  append_wire_string(out, name_space);
  append_wire_string(out, "");
  append_wire_string(out, hash);
  if (hash == kSha512) {
    append_wire_string(out, text_of(sha512({message})));
  } else if (hash == kSha256) {
    append_wire_string(out, text_of(sha256(message)));
  } else {
    return fail(Errc::invalid_data, "the signature uses an unknown hash");
  }
  return out;
}

Result<std::string> read_ssh_armor(std::string_view text) {
  if (text.size() > kMaxSignature)
    return fail(Errc::invalid_data, "the signature is longer than {} bytes", kMaxSignature);
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd) || text.size() < kBegin.size() + kEnd.size()) {
    return fail(Errc::invalid_data, "this is no SSH signature");
  }
  text.remove_prefix(kBegin.size());
  text.remove_suffix(kEnd.size());
  std::string body(text);
  std::erase(body, '\n');
  return in("SSH signature", base64_decode(body));
}

}  // namespace

Result<std::string> ssh_sign(const SshPrivateKey& key, std::string_view name_space, Bytes message) {
  if (name_space.empty()) return fail(Errc::usage, "a signature needs a name space");
  if (key.seed() == nullptr) {
    return hint(fail(Errc::usage, "only Ed25519 keys sign here"), "make one with 'ssh-keygen -t ed25519'");
  }
  TRY_LET(const std::string bytes, signed_bytes(name_space, kSha512, message));
  std::string signature;
  append_wire_string(signature, kEd25519);
  append_wire_string(signature, text_of(ed25519_sign(key.seed()->bytes(), bytes_of(bytes))));
  std::string blob(kMagic);
  blob += kVersion;
  append_wire_string(blob, key.public_key.wire);
  append_wire_string(blob, name_space);
  append_wire_string(blob, "");
  append_wire_string(blob, kSha512);
  append_wire_string(blob, signature);
  const std::string body = base64_encode(bytes_of(blob));
  std::string out(kBegin);
  for (std::size_t at = 0; at < body.size(); at += kColumns) {
    out += std::string_view(body).substr(at, kColumns);
    out += '\n';
  }
  return out.append(kEnd);
}

Result<SshPublicKey> ssh_verify(std::string_view text, std::string_view name_space, Bytes message) {
  TRY_LET(const std::string blob, read_ssh_armor(text));
  std::string_view rest = blob;
  if (!rest.starts_with(kMagic) || !rest.substr(kMagic.size()).starts_with(kVersion)) {
    return fail(Errc::invalid_data, "the SSH signature is of an unknown version");
  }
  rest.remove_prefix(kMagic.size() + kVersion.size());
  TRY_LET(const std::string_view wire_key, take_wire_string(rest));
  TRY_LET(SshPublicKey key, parse_ssh_wire_key(wire_key));
  TRY_LET(const std::string_view made_for, take_wire_string(rest));
  TRY_LET(const std::string_view reserved, take_wire_string(rest));
  TRY_LET(const std::string_view hash, take_wire_string(rest));
  TRY_LET(std::string_view signature, take_wire_string(rest));
  if (!rest.empty()) return fail(Errc::invalid_data, "something follows the SSH signature");
  TRY_LET(const std::string_view type, take_wire_string(signature));
  if (key.ed25519() == nullptr || type != kEd25519) {
    return hint(fail(Errc::invalid_data, "the signature was not made with an Ed25519 key"),
                "sign with a key of 'ssh-keygen -t ed25519'");
  }
  TRY_LET(const std::string_view raw, take_wire_string(signature));
  if (!signature.empty()) return fail(Errc::invalid_data, "something follows the SSH signature");
  if (made_for != name_space)
    return fail(Errc::mismatch, "the signature was made for another purpose than '{}'", name_space);
  if (!reserved.empty()) return fail(Errc::invalid_data, "the SSH signature holds what this version does not know");
  TRY_LET(const std::string bytes, signed_bytes(name_space, hash, message));
  if (!ed25519_verify(*key.ed25519(), bytes_of(bytes), bytes_of(raw))) {
    return fail(Errc::mismatch, "the signature does not belong to this content");
  }
  return key;
}

}  // namespace vmcred::age
