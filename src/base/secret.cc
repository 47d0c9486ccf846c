#include "base/secret.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>
#include <mutex>
#include <ostream>

#include "base/die.h"

namespace vmcred {
namespace {

constexpr std::size_t kSmallest = 32;
constexpr std::size_t kLargestSlot = 32 * 1024;
constexpr std::size_t kSmallestChunk = 16 * 1024;
constexpr std::size_t kLargestChunk = 128 * 1024;
constexpr std::size_t kClasses = 11;  // 32 … 32768

struct FreeSlot {
  FreeSlot* next;
};

/// Protected pages cut into power-of-two slots, so that a thousand short secrets do not cost a thousand mmaps.
struct Arena {
  std::mutex mutex;
  std::array<FreeSlot*, kClasses> free = {};
};

Arena& arena() {
  static Arena* const instance = new Arena;  // never destroyed: a Secret may outlive every static
  return *instance;
}

std::size_t class_of(std::size_t capacity) { return static_cast<std::size_t>(std::countr_zero(capacity / kSmallest)); }

std::uint8_t* map_protected(std::size_t length) {
  void* const memory = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) out_of_memory();
  // Each of these is a second net: where one is refused (an old kernel, RLIMIT_MEMLOCK) the value is still wiped.
  (void)::madvise(memory, length, MADV_DONTDUMP);
  (void)::madvise(memory, length, MADV_WIPEONFORK);
  (void)::mlock(memory, length);
  return static_cast<std::uint8_t*>(memory);
}

std::uint8_t* take_slot(std::size_t capacity) {
  Arena& store = arena();
  const std::scoped_lock lock(store.mutex);
  FreeSlot*& head = store.free.at(class_of(capacity));
  if (head == nullptr) {
    // Locking makes every page present, so a few secrets should not cost many pages.
    const std::size_t size = std::clamp(capacity * 64, kSmallestChunk, kLargestChunk);
    std::uint8_t* const chunk = map_protected(size);
    for (std::size_t offset = 0; offset + capacity <= size; offset += capacity) {
      auto* const slot = reinterpret_cast<FreeSlot*>(chunk + offset);  // NOLINT
      slot->next = head;
      head = slot;
    }
  }
  FreeSlot* const slot = head;
  head = slot->next;
  slot->next = nullptr;
  return reinterpret_cast<std::uint8_t*>(slot);  // NOLINT
}

void give_back_slot(std::uint8_t* data, std::size_t capacity) {
  Arena& store = arena();
  const std::scoped_lock lock(store.mutex);
  auto* const slot = reinterpret_cast<FreeSlot*>(data);  // NOLINT
  slot->next = store.free.at(class_of(capacity));
  store.free.at(class_of(capacity)) = slot;
}

}  // namespace

void wipe(WritableBytes bytes) noexcept {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

bool equal_in_constant_time(Bytes a, Bytes b) noexcept {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

Secret::Secret(std::size_t size) : size_(size) {
  if (size == 0) return;
  if (size <= kLargestSlot) {
    capacity_ = std::bit_ceil(size < kSmallest ? kSmallest : size);
    data_ = take_slot(capacity_);
  } else {
    capacity_ = (size + 4095) / 4096 * 4096;
    data_ = map_protected(capacity_);
  }
}

Secret Secret::copy_of(Bytes bytes) {
  Secret copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data_, bytes.data(), bytes.size());
  return copy;
}

Secret::~Secret() {
  if (data_ == nullptr) return;
  wipe({data_, capacity_});
  if (capacity_ <= kLargestSlot) {
    give_back_slot(data_, capacity_);
  } else {
    ::munmap(data_, capacity_);
  }
}

void Secret::shrink_to(std::size_t size) noexcept {
  assert(size <= size_);
  wipe({data_ + size, size_ - size});
  size_ = size;
}

void PrintTo(const Secret& secret, std::ostream* out) { *out << "Secret(" << secret.size() << " bytes)"; }

void forbid_core_dumps() noexcept {
  const rlimit none = {0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);       // lowering a limit is always allowed
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // cannot fail for 0
}

}  // namespace vmcred
