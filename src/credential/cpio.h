// The "newc" cpio archive that Linux unpacks as an initramfs
// (Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/secret.h"

namespace vmcred::credential {

inline constexpr std::uint32_t kFolder = 0040000;
inline constexpr std::uint32_t kRegularFile = 0100000;

struct CpioEntry {
  std::string path;  ///< relative, folders before what is in them
  std::uint32_t mode = 0;
  Bytes content;
};

/// An archive with its trailer, all files owned by root and without times. `base_size` bytes stand before it in the
/// same file: it begins with the zeros that bring them to a multiple of 4, as the kernel wants it of a second archive.
Secret write_cpio(std::span<const CpioEntry> entries, std::size_t base_size);

}  // namespace vmcred::credential
