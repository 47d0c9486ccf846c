// Does /dev/kvm run guests? A device that opens proves nothing: nested and emulated ones hang, or take seconds for what
// takes milliseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace vmcred::chain::doctor {

enum class Kvm : std::uint8_t {
  works,
  absent,   ///< no such device
  denied,   ///< it may not be opened
  refuses,  ///< it opens and makes no virtual machine
  hangs,    ///< a virtual processor did not come to its end in time
  untried,  ///< not on this architecture
};

struct KvmProbe {
  Kvm state = Kvm::untried;
  std::string detail = {};  ///< what failed, in words
};

/// Runs ten million turns of an empty loop in 64-bit mode in a guest of one page, in a child that is killed at the
/// deadline. A processor needs some ten milliseconds for it; an emulation that steps through each instruction needs
/// half a minute, and would need days for a kernel.
KvmProbe probe_kvm(const std::string& device, std::chrono::milliseconds limit);

}  // namespace vmcred::chain::doctor
