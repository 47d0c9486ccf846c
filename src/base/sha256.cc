// The low-level SHA256_* calls: deprecated in OpenSSL 3.0, but the EVP ones make the static guest tool 3.5 MB larger.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/sha256.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cassert>

namespace vmcred {
namespace {

constexpr std::size_t kBlock = 64;

}  // namespace

Digest sha256(Bytes bytes) {
  Digest digest = {};
  SHA256_CTX context;  // the one call SHA256() goes through EVP
  ::SHA256_Init(&context);
  ::SHA256_Update(&context, bytes.data(), bytes.size());
  ::SHA256_Final(digest.data(), &context);
  return digest;
}

Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts) {
  std::array<std::uint8_t, kBlock> pad = {};
  if (key.size() > kBlock) {
    const Digest short_key = sha256(key);
    std::copy(short_key.begin(), short_key.end(), pad.begin());
  } else {
    std::copy(key.begin(), key.end(), pad.begin());
  }
  for (std::uint8_t& byte : pad) byte ^= 0x36;
  SHA256_CTX context;
  Digest digest = {};
  ::SHA256_Init(&context);
  ::SHA256_Update(&context, pad.data(), pad.size());
  for (const Bytes part : parts) ::SHA256_Update(&context, part.data(), part.size());
  ::SHA256_Final(digest.data(), &context);
  for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  ::SHA256_Init(&context);
  ::SHA256_Update(&context, pad.data(), pad.size());
  ::SHA256_Update(&context, digest.data(), digest.size());
  ::SHA256_Final(digest.data(), &context);
  wipe(pad);
  wipe({reinterpret_cast<std::uint8_t*>(&context), sizeof context});  // NOLINT
  return digest;
}

Secret hkdf_sha256(Bytes key_material, Bytes salt, Bytes info, std::size_t length) {
  assert(length <= 255 * sizeof(Digest));
  const Digest no_salt = {};
  Digest extracted = hmac_sha256(salt.empty() ? Bytes(no_salt) : salt, {key_material});
  Secret out(length);
  Digest block = {};
  std::uint8_t counter = 1;
  for (std::size_t done = 0; done < length; ++counter) {
    const Bytes previous = counter == 1 ? Bytes() : Bytes(block);
    block = hmac_sha256(extracted, {previous, info, Bytes(&counter, 1)});
    const std::size_t n = std::min(block.size(), length - done);
    std::copy_n(block.begin(), n, out.writable().begin() + static_cast<std::ptrdiff_t>(done));
    done += n;
  }
  wipe(block);
  wipe(extracted);
  return out;
}

}  // namespace vmcred
