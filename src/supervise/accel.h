// Which acceleration a vm runs with: KVM where the machine really has it, else TCG.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::supervise {

struct AccelDoors {
  std::string kvm = "/dev/kvm";
  std::string cpuinfo = "/proc/cpuinfo";
};

/// `wanted` unless it is automatic. Automatic is KVM where the device opens for reading and writing and the processor
/// has vmx or svm; a device alone proves nothing in nested machines. An unreadable cpuinfo is an error: TCG would be 20
/// times slower without a word.
Result<declare::Accel> choose_accel(declare::Accel wanted, const AccelDoors& doors = {});

/// The rate of this machine's time stamp counter, measured against its clock over 20 ms. 0 where there is none.
std::uint64_t measure_tsc_khz();

}  // namespace vmcred::supervise
