#include "link/inbox.h"

#include <algorithm>

namespace vmcred::link {

void Inbox::seek(std::string pattern, std::size_t size) {
  pattern_ = std::move(pattern);
  wanted_ = size;
  used_ = 0;
  seeking_ = true;
  complete_ = false;
}

void Inbox::frames() {
  used_ = 0;
  seeking_ = false;
  complete_ = false;
}

Result<std::optional<Bytes>> Inbox::next(Bytes& input) {
  if (std::exchange(complete_, false)) used_ = 0;
  const WritableBytes buffer = buffer_.writable();
  while (!input.empty()) {
    if (seeking_ && used_ < pattern_.size()) {
      const std::uint8_t byte = input.front();
      input = input.subspan(1);
      // The first byte of a pattern occurs nowhere else in its magic, so a mismatch can only begin anew here.
      if (byte != static_cast<std::uint8_t>(pattern_[used_])) used_ = 0;
      if (byte == static_cast<std::uint8_t>(pattern_[used_])) buffer[used_++] = byte;
      continue;
    }
    std::size_t wanted = wanted_;
    if (!seeking_) {
      wanted = kHeaderSize;
      if (used_ >= kHeaderSize) {
        TRY_LET(wanted, frame_size(buffer.first(kHeaderSize)));
      }
    }
    const std::size_t take = std::min(wanted - used_, input.size());
    std::ranges::copy(input.first(take), buffer.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += take;
    input = input.subspan(take);
    if (used_ < wanted) break;
    if (!seeking_ && used_ == kHeaderSize) {
      TRY_LET(const std::size_t size, frame_size(buffer.first(kHeaderSize)));
      (void)size;  // always larger than a header: read on
      continue;
    }
    complete_ = true;
    return Bytes(buffer.first(used_));
  }
  return std::nullopt;
}

Secret Inbox::take_collected() {
  Secret collected = Secret::copy_of(buffer_.bytes().first(used_));
  used_ = 0;
  complete_ = false;
  return collected;
}

}  // namespace vmcred::link
