#include "age/stream.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/sha256.h"

namespace vmcred::age {
namespace {

constexpr std::size_t kTag = 16;
constexpr std::size_t kSealedChunk = kChunk + kTag;

/// An 11-byte big-endian counter, then 1 for the last chunk.
Nonce12 chunk_nonce(std::uint64_t index, bool last) {
  Nonce12 nonce = {};
  for (std::size_t i = 0; i < 8; ++i) nonce.at(10 - i) = static_cast<std::uint8_t>(index >> (8 * i));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

Secret payload_key(Bytes file_key, Bytes nonce) { return hkdf_sha256(file_key, nonce, bytes_of("payload")); }

std::size_t chunks_of(std::size_t plaintext_size) {
  return plaintext_size == 0 ? 1 : (plaintext_size + kChunk - 1) / kChunk;
}

}  // namespace

std::size_t payload_size(std::size_t plaintext_size) {
  return kPayloadNonce + plaintext_size + chunks_of(plaintext_size) * kTag;
}

void seal_payload(std::string& out, Bytes file_key, Bytes plaintext, Randomness& randomness) {
  const std::size_t start = out.size();
  out.resize(start + payload_size(plaintext.size()));
  WritableBytes rest = {reinterpret_cast<std::uint8_t*>(out.data()) + start, out.size() - start};  // NOLINT
  const WritableBytes nonce = rest.first(kPayloadNonce);
  randomness.fill(nonce);
  const Secret key = payload_key(file_key, nonce);
  rest = rest.subspan(kPayloadNonce);
  const std::size_t chunks = chunks_of(plaintext.size());
  for (std::size_t i = 0; i < chunks; ++i) {
    const Bytes chunk = plaintext.subspan(i * kChunk, std::min(kChunk, plaintext.size() - i * kChunk));
    chacha_seal(key.bytes(), chunk_nonce(i, i + 1 == chunks), chunk, rest.first(chunk.size() + kTag));
    rest = rest.subspan(chunk.size() + kTag);
  }
}

Result<Secret> open_payload(Bytes file_key, std::string_view payload) {
  if (payload.size() < kPayloadNonce) return fail(Errc::invalid_data, "the age file ends before its payload");
  const Bytes nonce = bytes_of(payload.substr(0, kPayloadNonce));
  Bytes rest = bytes_of(payload.substr(kPayloadNonce));
  const std::size_t chunks = (rest.size() + kSealedChunk - 1) / kSealedChunk;
  const std::size_t plain_size = rest.size() - std::min(rest.size(), chunks * kTag);
  // A last chunk without plaintext is allowed only where it is the first: so one size has one form.
  if (chunks == 0 || rest.size() < chunks * kTag || chunks_of(plain_size) != chunks) {
    return fail(Errc::invalid_data, "the age file is cut short, or bytes follow its end");
  }
  const Secret key = payload_key(file_key, nonce);
  Secret plaintext(plain_size);
  for (std::size_t i = 0; i < chunks; ++i) {
    const Bytes chunk = rest.first(std::min(kSealedChunk, rest.size()));
    rest = rest.subspan(chunk.size());
    if (!chacha_open(key.bytes(), chunk_nonce(i, rest.empty()), chunk,
                     plaintext.writable().subspan(i * kChunk, chunk.size() - kTag))) {
      return fail(Errc::mismatch, "the age file was changed or cut: chunk {} does not verify", i + 1);
    }
  }
  return plaintext;
}

}  // namespace vmcred::age
