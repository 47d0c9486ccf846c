#include "link/wire.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace vmcred::link {
namespace {

constexpr std::string_view kSalt = "vmcred link v1";
constexpr std::size_t kProvenPart = Welcome::kSize - kTagSize;

template <std::size_t N>
std::array<std::uint8_t, N> array_of(Bytes bytes) {
  std::array<std::uint8_t, N> array = {};
  assert(bytes.size() == N || bytes.empty());
  std::ranges::copy(bytes, array.begin());
  return array;
}

std::array<std::uint8_t, 4> little_endian(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}

}  // namespace

Keys derive_keys(Bytes secret) {
  const auto derive = [&](std::string_view purpose, std::size_t size) {
    return hkdf_sha256(secret, bytes_of(kSalt), bytes_of(purpose), size);
  };
  return {.id = array_of<16>(derive("id", 16).bytes()), .auth = derive("auth", 32), .receipt = derive("receipt", 32)};
}

std::string encode_hello(const Hello& hello) {
  FieldWriter out;
  out.raw(bytes_of(kHelloMagic));
  out.u8(hello.lowest);
  out.u8(hello.highest);
  out.integer(0, 2);
  out.integer(hello.agent ? 1 : 0, 4);
  out.raw(hello.boot_id);
  out.raw(hello.nonce);
  out.raw(hello.key);
  assert(out.bytes().size() == Hello::kSize);
  return out.bytes();
}

Result<Hello> decode_hello(Bytes bytes) {
  FieldReader in(bytes);
  if (text_of(in.raw(kHelloMagic.size())) != kHelloMagic) return fail(Errc::invalid_data, "no hello");
  Hello hello;
  hello.lowest = in.u8();
  hello.highest = in.u8();
  (void)in.integer(2);  // room for later versions
  hello.agent = (in.integer(4) & 1U) != 0;
  hello.boot_id = array_of<16>(in.raw(16));
  hello.nonce = array_of<32>(in.raw(32));
  hello.key = array_of<16>(in.raw(16));
  if (!in.done()) return fail(Errc::invalid_data, "a hello of another length");
  if (hello.lowest == 0 || hello.lowest > hello.highest) return fail(Errc::invalid_data, "a hello with no version");
  return hello;
}

std::string_view refusal_text(Refusal refusal) {
  switch (refusal) {
    case Refusal::none:
      return "not refused";
    case Refusal::version:
      return "no protocol version in common";
    case Refusal::unknown_key:
      return "the key is not known";
    case Refusal::spent:
      return "the token is spent";
    case Refusal::other_boot:
      return "the token belongs to another boot";
    case Refusal::malformed:
      return "the hello is malformed";
  }
  return "refused for a reason that this version does not know";
}

std::string encode_welcome(const Welcome& welcome, std::string_view hello, std::optional<Bytes> auth) {
  FieldWriter out;
  out.raw(bytes_of(kWelcomeMagic));
  out.raw(welcome.guest_nonce);
  out.u8(welcome.version);
  out.u8(static_cast<std::uint8_t>(welcome.refusal));
  out.integer(0, 2);
  out.integer(0, 4);
  out.raw(welcome.nonce);
  assert(out.bytes().size() == kProvenPart);
  const Digest proof = auth ? hmac_sha256(*auth, {bytes_of(hello), bytes_of(out.bytes())}) : Digest{};
  out.raw(proof);
  return out.bytes();
}

Result<Welcome> decode_welcome(Bytes bytes) {
  FieldReader in(bytes);
  if (text_of(in.raw(kWelcomeMagic.size())) != kWelcomeMagic) return fail(Errc::invalid_data, "no reply to the hello");
  Welcome welcome;
  welcome.guest_nonce = array_of<32>(in.raw(32));
  welcome.version = in.u8();
  welcome.refusal = static_cast<Refusal>(in.u8());
  (void)in.integer(2);
  (void)in.integer(4);
  welcome.nonce = array_of<32>(in.raw(32));
  welcome.proof = array_of<32>(in.raw(32));
  if (!in.done()) return fail(Errc::invalid_data, "a reply of another length");
  return welcome;
}

bool welcome_is_proven(Bytes welcome, std::string_view hello, Bytes auth) {
  if (welcome.size() != Welcome::kSize) return false;
  const Digest proof = hmac_sha256(auth, {bytes_of(hello), welcome.first(kProvenPart)});
  return equal_in_constant_time(proof, welcome.last(kTagSize));
}

StreamKeys derive_stream_keys(Bytes auth, std::string_view hello, std::string_view welcome) {
  std::string said(hello);
  said += welcome;
  const Digest transcript = sha256(bytes_of(said));
  return {.from_guest = hkdf_sha256(auth, transcript, bytes_of("frames from the guest")),
          .from_host = hkdf_sha256(auth, transcript, bytes_of("frames from the host"))};
}

Result<std::size_t> frame_size(Bytes header) {
  FieldReader in(header);
  const std::uint8_t type = in.u8();
  const std::uint8_t zero = in.u8();
  const auto length = static_cast<std::size_t>(in.integer(2));
  if (!in.ok() || type == 0 || zero != 0) return fail(Errc::invalid_data, "what came is no frame");
  if (length > kMaxPayload) return fail(Errc::invalid_data, "a frame of {} bytes, {} are allowed", length, kMaxPayload);
  return kHeaderSize + length + kTagSize;
}

std::size_t Sealer::seal(Type type, Bytes payload, WritableBytes out) {
  assert(payload.size() <= kMaxPayload && out.size() >= sealed_size(payload.size()));
  const auto length = static_cast<std::uint16_t>(payload.size());
  out[0] = static_cast<std::uint8_t>(type);
  out[1] = 0;
  out[2] = static_cast<std::uint8_t>(length);
  out[3] = static_cast<std::uint8_t>(length >> 8);
  std::ranges::copy(little_endian(next_++), out.begin() + 4);
  std::ranges::copy(payload, out.begin() + kHeaderSize);
  const Digest tag = hmac_sha256(key_.bytes(), {out.first(kHeaderSize + payload.size())});
  std::ranges::copy(tag, out.begin() + static_cast<std::ptrdiff_t>(kHeaderSize + payload.size()));
  return sealed_size(payload.size());
}

Result<std::pair<Type, Bytes>> Opener::open(Bytes frame) {
  assert(frame.size() >= kHeaderSize + kTagSize);
  const Bytes covered = frame.first(frame.size() - kTagSize);
  const Digest tag = hmac_sha256(key_.bytes(), {covered});
  if (!equal_in_constant_time(tag, frame.last(kTagSize))) return fail(Errc::mismatch, "a frame with a wrong tag");
  FieldReader in(covered);
  const auto type = static_cast<Type>(in.u8());
  (void)in.integer(3);
  if (in.integer(4) != next_) return fail(Errc::mismatch, "a frame out of order");
  ++next_;
  return std::pair{type, covered.subspan(kHeaderSize)};
}

void FieldWriter::integer(std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void FieldWriter::text(std::string_view text) {
  assert(text.size() <= 255);
  u8(static_cast<std::uint8_t>(text.size()));
  bytes_.append(text);
}

std::uint64_t FieldReader::integer(unsigned size) {
  const Bytes bytes = raw(size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

Bytes FieldReader::raw(std::size_t size) {
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const Bytes bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace vmcred::link
