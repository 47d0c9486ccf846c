// Cuts a stream of bytes into handshake messages and frames, in a fixed amount of memory, and finds its place again
// after anything foreign.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "link/wire.h"

namespace vmcred::link {

/// Takes bytes one message at a time. In seeking mode everything up to `pattern` is thrown away and a message of `size`
/// bytes that begins with it is collected; in frame mode whole frames are.
class Inbox {
 public:
  Inbox() : buffer_(kMaxFrame) {}
  void seek(std::string pattern, std::size_t size);
  void frames();

  /// Moves bytes from the front of `input` until a message is complete or `input` is used up. The message borrows the
  /// inbox's memory and is valid until the next call. `invalid_data`: no frame begins here.
  Result<std::optional<Bytes>> next(Bytes& input);

  /// What was collected of a message that turned out bad, to be read again in another mode.
  [[nodiscard]] Secret take_collected();

 private:
  Secret buffer_;
  std::size_t used_ = 0;
  std::size_t wanted_ = 0;
  std::string pattern_;
  bool seeking_ = true;
  bool complete_ = false;
};

}  // namespace vmcred::link
