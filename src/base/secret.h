// Plaintext lives only in Secret: move-only, never grown, wiped at the end, not printable, without ==.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string_view>
#include <utility>

namespace vmcred {

using Bytes = std::span<const std::uint8_t>;
using WritableBytes = std::span<std::uint8_t>;

/// The bytes of a text, borrowed.
inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // NOLINT
}
/// Bytes as a text, borrowed.
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}

/// A value that must not leak. Its memory is excluded from core dumps, locked where RLIMIT_MEMLOCK allows, empty in a
/// forked child (MADV_WIPEONFORK) and zeroed before it is used again. What is derived from a secret (base64, an OEM
/// string, a request body) is a Secret too.
class Secret {
 public:
  Secret() noexcept = default;
  /// `size` zero bytes to be filled through writable(). Ends the program (base/die.h) when memory is exhausted.
  explicit Secret(std::size_t size);
  static Secret copy_of(Bytes bytes);
  static Secret copy_of(std::string_view text) { return copy_of(bytes_of(text)); }

  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept { swap(other); }
  Secret& operator=(Secret&& other) noexcept {
    Secret(std::move(other)).swap(*this);  // the old value is wiped with the temporary
    return *this;
  }
  ~Secret();

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] Bytes bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] WritableBytes writable() noexcept { return {data_, size_}; }
  [[nodiscard]] std::string_view text() const noexcept { return text_of(bytes()); }
  /// A second copy, spoken out loud.
  [[nodiscard]] Secret clone() const { return copy_of(bytes()); }
  /// Cuts the end off and wipes it; `size` must not be larger than size().
  void shrink_to(std::size_t size) noexcept;
  void swap(Secret& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Overwrites memory in a way that the compiler does not remove.
void wipe(WritableBytes bytes) noexcept;

/// Compares without telling by its time where the difference is (the lengths are no secret).
[[nodiscard]] bool equal_in_constant_time(Bytes a, Bytes b) noexcept;

/// gtest prints "Secret(N bytes)", never the value.
void PrintTo(const Secret& secret, std::ostream* out);

/// First thing in every process that sees plaintext: no core dumps, no ptrace by the same user.
void forbid_core_dumps() noexcept;

}  // namespace vmcred
