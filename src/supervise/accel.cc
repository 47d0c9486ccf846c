#include "supervise/accel.h"

#include <fcntl.h>

#include <chrono>
#include <thread>

#include "base/file.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace vmcred::supervise {
namespace {

/// Whether one of the "flags" lines names a virtualisation extension.
bool has_virtualisation(std::string_view cpuinfo) {
  while (!cpuinfo.empty()) {
    const std::string_view line = cpuinfo.substr(0, cpuinfo.find('\n'));
    cpuinfo.remove_prefix(std::min(cpuinfo.size(), line.size() + 1));
    if (!line.starts_with("flags")) continue;
    const std::string padded = std::string(line) + " ";
    return padded.contains(" vmx ") || padded.contains(" svm ");
  }
  return false;
}

}  // namespace

Result<declare::Accel> choose_accel(declare::Accel wanted, const AccelDoors& doors) {
  if (wanted != declare::Accel::automatic) return wanted;
  const Fd kvm(::open(doors.kvm.c_str(), O_RDWR | O_CLOEXEC));
  if (!kvm) return declare::Accel::tcg;
  constexpr std::size_t kMaxCpuinfo = 16 * 1024 * 1024;
  auto cpuinfo = in("choose the acceleration", read_file(doors.cpuinfo, kMaxCpuinfo));
  if (!cpuinfo) {
    return hint(Failure(std::move(cpuinfo).error()),
                "name it with --accel kvm or --accel tcg, or let this process see /proc/cpuinfo (no ProcSubset=pid)");
  }
  return has_virtualisation(*cpuinfo) ? declare::Accel::kvm : declare::Accel::tcg;
}

std::uint64_t measure_tsc_khz() {
#if defined(__x86_64__)
  using std::chrono::steady_clock;
  const auto start = steady_clock::now();
  const std::uint64_t first = __rdtsc();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::uint64_t last = __rdtsc();
  const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start).count();
  return (last - first) * 1000 / static_cast<std::uint64_t>(passed);
#else
  return 0;
#endif
}

}  // namespace vmcred::supervise
