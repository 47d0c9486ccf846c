// SSH keys as files and lines hold them (RFC 4253 §6.6, OpenSSH's PROTOCOL.key): Ed25519 and RSA.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/public_key.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

/// The wire forms of RFC 4251 §5. Writers append, readers take off the front.
void append_wire_string(std::string& out, std::string_view text);
Result<std::string_view> take_wire_string(std::string_view& text);
Result<std::uint32_t> take_wire_number(std::string_view& text);

struct SshPublicKey {
  std::string wire;  ///< the blob whose base64 stands in a line
  std::variant<Ed25519Point, RsaKey::Public> key;
  [[nodiscard]] const Ed25519Point* ed25519() const { return std::get_if<Ed25519Point>(&key); }
  [[nodiscard]] const RsaKey::Public* rsa() const { return std::get_if<RsaKey::Public>(&key); }
  /// "ssh-ed25519 AAAA…", without a comment.
  [[nodiscard]] std::string line() const;
};

SshPublicKey ssh_public_key(const Ed25519Point& point);
SshPublicKey ssh_public_key(RsaKey::Public key);
/// A line of an .pub or authorized_keys file without options: "ssh-ed25519 AAAA… comment".
Result<SshPublicKey> parse_ssh_public_key(std::string_view line);
/// The blob alone.
Result<SshPublicKey> parse_ssh_wire_key(std::string_view wire);

struct SshPrivateKey {
  SshPublicKey public_key;
  std::variant<Secret, RsaKey> key;  ///< an Ed25519 seed, or RSA
  [[nodiscard]] const Secret* seed() const { return std::get_if<Secret>(&key); }
  [[nodiscard]] const RsaKey* rsa() const { return std::get_if<RsaKey>(&key); }
};

/// Whether the text is a PEM private key of any kind.
[[nodiscard]] bool is_ssh_private_key(std::string_view text);
/// An OpenSSH, PKCS#1 or PKCS#8 file. Protected by a passphrase is `denied`.
Result<SshPrivateKey> parse_ssh_private_key(std::string_view text);
/// An OpenSSH file without a passphrase, for an Ed25519 key (PROTOCOL.key); asserted to be one.
Secret print_ssh_private_key(const SshPrivateKey& key, std::string_view comment);

}  // namespace vmcred::age
