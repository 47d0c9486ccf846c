#include "credential/pack.h"

#include <algorithm>
#include <tuple>

#include "credential/limits.h"

namespace vmcred::credential {
namespace {

bool by_name(const Item* a, const Item* b) {
  return std::tie(a->entry.guest, a->entry.name) < std::tie(b->entry.guest, b->entry.name);
}

}  // namespace

std::size_t raw_size(std::span<const Item* const> strings) {
  std::size_t size = kStructureOverhead;
  for (const Item* item : strings) size += item->cost();
  return size;
}

Packing pack(std::span<const Item* const> items) {
  std::vector<const Item*> order(items.begin(), items.end());
  std::ranges::sort(order, [](const Item* a, const Item* b) {
    return a->cost() != b->cost() ? a->cost() > b->cost() : by_name(a, b);
  });

  Packing packing;
  std::vector<std::size_t> used;
  for (const Item* item : order) {
    std::size_t at = 0;
    while (at < used.size() &&
           (used[at] + item->cost() > kPageStructure || packing.structures[at].size() == kMaxStrings)) {
      ++at;
    }
    if (at == used.size()) {
      used.push_back(kStructureOverhead);
      packing.structures.emplace_back();
    }
    used[at] += item->cost();
    packing.structures[at].push_back(item);
  }
  for (auto& strings : packing.structures) std::ranges::sort(strings, by_name);
  for (const std::size_t bytes : used) packing.bytes += bytes;
  return packing;
}

}  // namespace vmcred::credential
