// The bytes of the link, version 1: handshake messages, frames, keys, and bounded reading and writing of fields.
// docs/protocol.md draws the same in tables.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/sha256.h"

namespace vmcred::link {

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kMaxPayload = 4096;
inline constexpr std::size_t kSecretSize = 32;  ///< the token, a session secret
inline constexpr std::size_t kHeaderSize = 8;
inline constexpr std::size_t kTagSize = 32;
inline constexpr std::size_t kMaxFrame = kHeaderSize + kMaxPayload + kTagSize;

/// Both begin with 0x89, which occurs nowhere else in them, so that a reader that lost its place finds the next one.
inline constexpr std::string_view kHelloMagic{"\x89vmcred-hello\r\n\0", 16};
inline constexpr std::string_view kWelcomeMagic{"\x89vmcred-reply\r\n\0", 16};

using Nonce = std::array<std::uint8_t, 32>;
using KeyId = std::array<std::uint8_t, 16>;

enum class Type : std::uint8_t {
  // guest to host
  open = 0x01,
  report_begin = 0x02,
  report_copy = 0x03,
  report_consumer = 0x04,
  report_output = 0x05,
  report_notice = 0x06,
  report_end = 0x07,
  refreshed = 0x08,
  leaving = 0x09,
  // host to guest
  task = 0x81,
  set_begin = 0x82,
  set_value = 0x83,
  set_chunk = 0x84,
  set_action = 0x85,
  set_end = 0x86,
  confirm = 0x87,
  power_off = 0x88,
  ask_report = 0x89,
};

/// What one secret (the token or a session secret) is used for; the secret itself never travels.
struct Keys {
  KeyId id = {};
  Secret auth;
  Secret receipt;
};
Keys derive_keys(Bytes secret);

/// The guest speaks first.
struct Hello {
  static constexpr std::size_t kSize = 88;
  std::uint8_t lowest = kVersion;
  std::uint8_t highest = kVersion;
  bool agent = false;
  std::array<std::uint8_t, 16> boot_id = {};
  Nonce nonce = {};
  KeyId key = {};
};
std::string encode_hello(const Hello& hello);
/// `bytes` is kSize long and begins with the magic. Fields that are not known are `invalid_data`.
Result<Hello> decode_hello(Bytes bytes);

enum class Refusal : std::uint8_t { none = 0, version = 1, unknown_key = 2, spent = 3, other_boot = 4, malformed = 5 };
std::string_view refusal_text(Refusal refusal);

struct Welcome {
  static constexpr std::size_t kSize = 120;
  Nonce guest_nonce = {};    ///< echoed, so that an answer to an earlier boot is not taken for one to this
  std::uint8_t version = 0;  ///< 0: refused
  Refusal refusal = Refusal::none;
  Nonce nonce = {};
  Digest proof = {};  ///< HMAC under `auth` over the hello and the welcome up to here
};
/// `proof` is made here when `auth` is given, and is zero otherwise.
std::string encode_welcome(const Welcome& welcome, std::string_view hello, std::optional<Bytes> auth);
Result<Welcome> decode_welcome(Bytes bytes);
[[nodiscard]] bool welcome_is_proven(Bytes welcome, std::string_view hello, Bytes auth);

/// The tag keys of the two directions, bound to everything both sides said before.
struct StreamKeys {
  Secret from_guest;
  Secret from_host;
};
StreamKeys derive_stream_keys(Bytes auth, std::string_view hello, std::string_view welcome);

/// Writes frames of one direction. The number of a frame is in its tag, so none can be left out, repeated or moved.
class Sealer {
 public:
  explicit Sealer(Secret key) : key_(std::move(key)) {}
  [[nodiscard]] static std::size_t sealed_size(std::size_t payload) { return kHeaderSize + payload + kTagSize; }
  /// Writes the frame to the start of `out` and gives its size; `out` has room for sealed_size().
  std::size_t seal(Type type, Bytes payload, WritableBytes out);

 private:
  Secret key_;
  std::uint32_t next_ = 0;
};

/// Checks frames of one direction.
class Opener {
 public:
  explicit Opener(Secret key) : key_(std::move(key)) {}
  /// `frame` is one whole frame. A wrong number or tag is `mismatch`. The payload borrows from `frame`.
  Result<std::pair<Type, Bytes>> open(Bytes frame);

 private:
  Secret key_;
  std::uint32_t next_ = 0;
};

/// The size of the frame that begins with these kHeaderSize bytes; `invalid_data` where it is none.
Result<std::size_t> frame_size(Bytes header);

/// Appends fields to a payload: integers little-endian, texts with one byte of length.
class FieldWriter {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void integer(std::uint64_t value, unsigned size);
  void raw(Bytes bytes) { bytes_.append(text_of(bytes)); }
  void text(std::string_view text);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads fields; after a read beyond the end everything is empty and ok() is false.
class FieldReader {
 public:
  explicit FieldReader(Bytes bytes) : rest_(bytes) {}
  std::uint64_t integer(unsigned size);
  std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
  Bytes raw(std::size_t size);
  std::string_view text() { return text_of(raw(u8())); }
  std::string_view rest() { return text_of(raw(rest_.size())); }
  [[nodiscard]] bool ok() const { return ok_; }
  /// Everything was read and nothing is left.
  [[nodiscard]] bool done() const { return ok_ && rest_.empty(); }

 private:
  Bytes rest_;
  bool ok_ = true;
};

/// Whether it can be a name: 1 to 255 bytes of printable ASCII.
[[nodiscard]] bool is_name(std::string_view text);

}  // namespace vmcred::link
