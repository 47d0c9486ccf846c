#include "generate/unused_user.h"

#include <unistd.h>

#include <cstdio>

#include "base/crypto.h"
#include "base/file.h"

namespace vmcred::generate {
namespace {

// The range that systemd documents as unused by everybody ("UIDs and GIDs", section 7.1).
constexpr uid_t kFirst = 1879048192;
constexpr uid_t kCount = 1U << 27U;
constexpr std::size_t kMaxMap = 64 * 1024;

}  // namespace

bool maps_users(std::string_view uid_map, uid_t first, uid_t count) {
  while (!uid_map.empty()) {
    const std::string line(uid_map.substr(0, uid_map.find('\n')));
    uid_map.remove_prefix(std::min(line.size() + 1, uid_map.size()));
    unsigned long long inside = 0;
    unsigned long long size = 0;
    if (std::sscanf(line.c_str(), "%llu %*u %llu", &inside, &size) != 2) continue;  // NOLINT(cert-err34-c)
    if (inside <= first && inside + size >= 0ULL + first + count) return true;
  }
  return false;
}

std::optional<uid_t> unused_user() {
  if (::geteuid() != 0) return {};
  const Result<std::string> map = read_file("/proc/self/uid_map", kMaxMap);
  if (map && !maps_users(*map, kFirst, kCount)) return {};
  std::uint32_t dice = 0;
  random_bytes({reinterpret_cast<std::uint8_t*>(&dice), sizeof dice});  // NOLINT
  return kFirst + dice % kCount;
}

}  // namespace vmcred::generate
