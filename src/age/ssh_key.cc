#include "age/ssh_key.h"

#include <algorithm>

#include "base/base64.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kEd25519 = "ssh-ed25519";
constexpr std::string_view kRsa = "ssh-rsa";
constexpr std::string_view kBegin = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kEnd = "-----END OPENSSH PRIVATE KEY-----";
constexpr std::string_view kMagic{"openssh-key-v1\0", 15};
constexpr std::size_t kMaxModulus = 2048;  // 16384 bits; larger ones only cost time
constexpr std::size_t kMaxExponent = 8;
constexpr std::string_view kSpaces = " \t\r\n";

/// A positive number in wire form: a zero byte in front where the highest bit is set.
void append_wire_integer(std::string& out, std::string_view big_endian) {
  const bool pad = !big_endian.empty() && (static_cast<unsigned char>(big_endian.front()) & 0x80U) != 0;
  append_wire_string(out, pad ? std::string(1, '\0').append(big_endian) : std::string(big_endian));
}

Result<std::string_view> take_wire_integer(std::string_view& text) {
  TRY_LET(std::string_view number, take_wire_string(text));
  if (number.empty() || (static_cast<unsigned char>(number.front()) & 0x80U) != 0) {
    return fail(Errc::invalid_data, "an SSH key holds a number that is not positive");
  }
  if (number.front() == '\0') number.remove_prefix(1);
  if (number.empty() || number.front() == '\0') {
    return fail(Errc::invalid_data, "an SSH key holds a number with zeros in front");
  }
  return number;
}

Result<Ed25519Point> take_point(std::string_view& text) {
  TRY_LET(const std::string_view bytes, take_wire_string(text));
  Ed25519Point point = {};
  if (bytes.size() != point.size()) return fail(Errc::invalid_data, "an Ed25519 key has a wrong size");
  std::ranges::copy(bytes_of(bytes), point.begin());
  return point;
}

/// The private half of an OpenSSH file, after its check numbers.
Result<SshPrivateKey> take_private_half(std::string_view& text) {
  TRY_LET(const std::string_view type, take_wire_string(text));
  if (type == kEd25519) {
    TRY_LET(const Ed25519Point point, take_point(text));
    TRY_LET(const std::string_view pair, take_wire_string(text));
    if (pair.size() != 64) return fail(Errc::invalid_data, "an Ed25519 key has a wrong size");
    Secret seed = Secret::copy_of(pair.substr(0, 32));
    if (ed25519_public(seed.bytes()) != point) return fail(Errc::invalid_data, "the two halves of the SSH key differ");
    return SshPrivateKey{.public_key = ssh_public_key(point), .key = std::move(seed)};
  }
  if (type != kRsa) return fail(Errc::invalid_data, "the private key is of a kind that is neither Ed25519 nor RSA");
  TRY_LET(const std::string_view modulus, take_wire_integer(text));
  TRY_LET(const std::string_view exponent, take_wire_integer(text));
  TRY_LET(const std::string_view private_exponent, take_wire_integer(text));
  TRY_LET(const std::string_view inverse, take_wire_integer(text));
  TRY_LET(const std::string_view p, take_wire_integer(text));
  TRY_LET(const std::string_view q, take_wire_integer(text));
  const RsaKey::Public numbers = {.modulus = std::string(modulus), .exponent = std::string(exponent)};
  TRY_LET(RsaKey key, RsaKey::from(numbers, bytes_of(private_exponent), bytes_of(inverse), bytes_of(p), bytes_of(q)));
  return SshPrivateKey{.public_key = ssh_public_key(numbers), .key = std::move(key)};
}

Result<SshPrivateKey> parse_openssh_file(std::string_view text) {
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) {
    return fail(Errc::invalid_data, "the private key file is cut short");
  }
  const std::string_view body = text.substr(begin + kBegin.size(), end - begin - kBegin.size());
  Secret joined(body.size());
  const auto rest_of = std::ranges::copy_if(bytes_of(body), joined.writable().begin(), [](std::uint8_t c) {
                         return kSpaces.find(static_cast<char>(c)) == std::string_view::npos;
                       }).out;
  joined.shrink_to(static_cast<std::size_t>(rest_of - joined.writable().begin()));
  TRY_LET(const Secret bytes, in("private key file", base64_decode_secret(joined.text())));
  std::string_view rest = bytes.text();
  if (!rest.starts_with(kMagic)) return fail(Errc::invalid_data, "the private key file is of an unknown version");
  rest.remove_prefix(kMagic.size());
  TRY_LET(const std::string_view cipher, take_wire_string(rest));
  TRY_LET(const std::string_view kdf, take_wire_string(rest));
  TRY_LET(const std::string_view options, take_wire_string(rest));
  if (cipher != "none" || kdf != "none" || !options.empty()) {
    return hint(fail(Errc::denied, "the private key is protected by a passphrase"),
                "use an age identity, or a copy without passphrase in memory: 'cp KEY /dev/shm/key', 'ssh-keygen -p -N "
                "\"\" -f /dev/shm/key', and "
                "SOPS_AGE_SSH_PRIVATE_KEY_FILE=/dev/shm/key until you remove it");
  }
  TRY_LET(const std::uint32_t count, take_wire_number(rest));
  if (count != 1) return fail(Errc::invalid_data, "the private key file holds {} keys, not one", count);
  TRY_LET(const std::string_view wire, take_wire_string(rest));
  TRY_LET(std::string_view half, take_wire_string(rest));
  if (!rest.empty()) return fail(Errc::invalid_data, "something follows the private key");
  TRY_LET(const std::uint32_t check, take_wire_number(half));
  TRY_LET(const std::uint32_t again, take_wire_number(half));
  if (check != again) return fail(Errc::invalid_data, "the private key file is damaged");
  TRY_LET(SshPrivateKey key, take_private_half(half));
  TRY_LET(const std::string_view comment, take_wire_string(half));
  (void)comment;
  for (std::size_t i = 0; i < half.size(); ++i) {
    if (half[i] != static_cast<char>(i + 1)) return fail(Errc::invalid_data, "the private key file is damaged");
  }
  if (key.public_key.wire != wire) return fail(Errc::invalid_data, "the two halves of the SSH key differ");
  return key;
}

}  // namespace

void append_wire_string(std::string& out, std::string_view text) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(text.size() >> static_cast<unsigned>(shift));
  out += text;
}

Result<std::uint32_t> take_wire_number(std::string_view& text) {
  if (text.size() < 4) return fail(Errc::invalid_data, "the SSH data is cut short");
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8U | static_cast<unsigned char>(text[i]);
  text.remove_prefix(4);
  return number;
}

Result<std::string_view> take_wire_string(std::string_view& text) {
  TRY_LET(const std::uint32_t size, take_wire_number(text));
  if (size > text.size()) return fail(Errc::invalid_data, "the SSH data is cut short");
  const std::string_view result = text.substr(0, size);
  text.remove_prefix(size);
  return result;
}

std::string SshPublicKey::line() const {
  return fmt::format("{} {}", ed25519() != nullptr ? kEd25519 : kRsa, base64_encode(bytes_of(wire)));
}

SshPublicKey ssh_public_key(const Ed25519Point& point) {
  std::string wire;
  append_wire_string(wire, kEd25519);
  append_wire_string(wire, text_of(point));
  return {.wire = std::move(wire), .key = point};
}

SshPublicKey ssh_public_key(RsaKey::Public key) {
  std::string wire;
  append_wire_string(wire, kRsa);
  append_wire_integer(wire, key.exponent);
  append_wire_integer(wire, key.modulus);
  return {.wire = std::move(wire), .key = std::move(key)};
}

Result<SshPublicKey> parse_ssh_wire_key(std::string_view wire) {
  std::string_view rest = wire;
  TRY_LET(const std::string_view type, take_wire_string(rest));
  std::optional<SshPublicKey> key;
  if (type == kEd25519) {
    TRY_LET(const Ed25519Point point, take_point(rest));
    key = ssh_public_key(point);
  } else if (type == kRsa) {
    TRY_LET(const std::string_view exponent, take_wire_integer(rest));
    TRY_LET(const std::string_view modulus, take_wire_integer(rest));
    if (modulus.size() > kMaxModulus || exponent.size() > kMaxExponent) {
      return fail(Errc::invalid_data, "the RSA key is larger than any in use");
    }
    key = ssh_public_key({.modulus = std::string(modulus), .exponent = std::string(exponent)});
  } else {
    return hint(fail(Errc::invalid_data, "the SSH key is of a kind that is neither Ed25519 nor RSA"),
                "make one with 'ssh-keygen -t ed25519'");
  }
  if (!rest.empty()) return fail(Errc::invalid_data, "something follows the SSH key");
  return *std::move(key);
}

Result<SshPublicKey> parse_ssh_public_key(std::string_view line) {
  const std::size_t space = line.find_first_of(" \t");
  if (space == std::string_view::npos) return fail(Errc::invalid_data, "the SSH key has no second word");
  const std::string_view type = line.substr(0, space);
  std::string_view encoded = line.substr(space + 1);
  encoded.remove_prefix(std::min(encoded.find_first_not_of(" \t"), encoded.size()));
  encoded = encoded.substr(0, encoded.find_first_of(kSpaces));
  TRY_LET(const std::string wire, in("SSH key", base64_decode(encoded)));
  TRY_LET(SshPublicKey key, parse_ssh_wire_key(wire));
  if (!key.line().starts_with(fmt::format("{} ", type))) {
    return fail(Errc::invalid_data, "the SSH key says '{}' and is of another kind", type);
  }
  return key;
}

bool is_ssh_private_key(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos || !text.substr(begin).starts_with("-----BEGIN ")) return false;
  const std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  return line.find("PRIVATE KEY-----") != std::string_view::npos;
}

Result<SshPrivateKey> parse_ssh_private_key(std::string_view text) {
  if (text.find(kBegin) != std::string_view::npos) return parse_openssh_file(text);
  TRY_LET(auto key, read_pem_private_key(text));
  if (Secret* const seed = std::get_if<Secret>(&key)) {
    return SshPrivateKey{.public_key = ssh_public_key(ed25519_public(seed->bytes())), .key = std::move(*seed)};
  }
  RsaKey& rsa = std::get<RsaKey>(key);
  return SshPrivateKey{.public_key = ssh_public_key(rsa.public_part()), .key = std::move(rsa)};
}

Secret print_ssh_private_key(const SshPrivateKey& key, std::string_view comment) {
  constexpr std::size_t kBlock = 8;
  constexpr std::size_t kColumns = 70;
  const std::string point = std::string(text_of(*key.public_key.ed25519()));
  // The private half: check numbers, type, public key, seed and public key, comment, padding 1, 2, 3, …
  std::string before(8, '\0');  // two equal check numbers; they only tell a wrong passphrase, and there is none
  append_wire_string(before, kEd25519);
  append_wire_string(before, point);
  before += std::string_view("\0\0\0\x40", 4);
  std::string after = point;
  append_wire_string(after, comment);
  const std::size_t seed_size = key.seed()->size();
  for (char next = 1; (before.size() + seed_size + after.size()) % kBlock != 0; ++next) after += next;
  const auto half_size = static_cast<std::uint32_t>(before.size() + seed_size + after.size());
  std::string head(kMagic);
  append_wire_string(head, "none");
  append_wire_string(head, "none");
  append_wire_string(head, "");
  head += std::string_view("\0\0\0\1", 4);
  append_wire_string(head, key.public_key.wire);
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(half_size >> static_cast<unsigned>(shift));
  Secret blob(head.size() + half_size);
  auto end = std::ranges::copy(bytes_of(head), blob.writable().begin()).out;
  end = std::ranges::copy(bytes_of(before), end).out;
  end = std::ranges::copy(key.seed()->bytes(), end).out;
  std::ranges::copy(bytes_of(after), end);
  const Secret body = base64_encode_secret(blob.bytes());
  Secret text(kBegin.size() + 1 + body.size() + (body.size() + kColumns - 1) / kColumns + kEnd.size() + 1);
  auto out = text.writable().begin();
  const auto put = [&out](std::string_view piece) { out = std::ranges::copy(bytes_of(piece), out).out; };
  put(kBegin);
  put("\n");
  for (std::size_t at = 0; at < body.size(); at += kColumns) {
    put(body.text().substr(at, kColumns));
    put("\n");
  }
  put(kEnd);
  put("\n");
  return text;
}

}  // namespace vmcred::age
