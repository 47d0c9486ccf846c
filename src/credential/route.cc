#include "credential/route.h"

#include <algorithm>
#include <string>

#include "credential/limits.h"
#include "credential/pack.h"

namespace vmcred::credential {
namespace {

/// Why an item cannot go some way, and what would change that.
struct Obstacle {
  std::string why;
  std::string remedy;
};

bool in_structures(Channel channel) { return channel == Channel::smbios || channel == Channel::api; }

std::size_t bytes_in(const Item& item, const Way& way) {
  if (way.channel == Channel::kernel_line) return kernel_word_cost(item.entry.guest, item.least_size());
  return in_structures(way.channel) ? item.cost() : item.least_size();
}

/// What keeps `item` from going `way` all alone; empty `why`: nothing.
Obstacle obstacle(const Item& item, const Way& way) {
  if (!way.open()) return {way.closed, way.remedy};
  if (!way.unread.empty() && item.entry.host != kLinkCredential) return {way.unread, way.remedy};
  if (!item.listed && !in_structures(way.channel)) {
    return {fmt::format("the OEM string '{}' can only stand in SMBIOS tables", item.entry.name),
            "remove it from oem-strings"};
  }
  if (way.channel == Channel::kernel_line) {
    if (!item.text && item.entry.host != kLinkCredential) {
      return {"every process of the guest can read the kernel line", {}};
    }
    if (item.text && !fits_kernel_line(*item.text)) return {"its value cannot stand on a kernel line", {}};
  }
  if (way.channel == Channel::reference && item.early) {
    return {fmt::format("'{}' is read before any service runs, so it cannot come by reference", item.entry.guest),
            "declare delivery = \"auto\" and make it small enough for a value"};
  }
  const std::size_t bytes = bytes_in(item, way);
  if (bytes > way.item_bytes) {
    if (!in_structures(way.channel)) return {fmt::format("{} bytes of at most {}", bytes, way.item_bytes), {}};
    return {fmt::format("as an OEM string it takes {} bytes of at most {}: {}", bytes, way.item_bytes, way.limit),
            way.remedy};
  }
  if (item.entry.guest.size() > way.name_bytes) {
    return {
        fmt::format("its guest name is {} bytes of at most {}: {}", item.entry.guest.size(), way.name_bytes, way.limit),
        fmt::format("choose a guest name of at most {} bytes with guest = \"…\"", way.name_bytes)};
  }
  return {};
}

/// One choice of several obstacles' remedies a reader has.
void add_once(std::string& text, std::string_view separator, const std::string& part) {
  if (part.empty() || text.contains(part)) return;
  if (!text.empty()) text += separator;
  text += part;
}

/// The figures of a refused item are those of the first way that the vm really has.
void count_bytes(Item& item, const Way& way) {
  item.entry.bytes_used = bytes_in(item, way);
  item.entry.bytes_allowed = way.item_bytes;
  if (way.channel == Channel::reference) item.entry.bytes_allowed = kMaxCredential;
  if (!item.entry.size_known) item.entry.bytes_used = 0;
}

void take(Item& item, const Way& way) {
  item.entry.channel = way.channel;
  count_bytes(item, way);
}

/// Sends `item` on the first of `ways` that carries it. With none it is refused: for `first` (what sent it on), else
/// for the obstacles of the ways that the vm really has.
void send(Item& item, std::span<const Way> ways, const Obstacle& first = {}) {
  Obstacle all = first;
  item.entry.channel.reset();
  for (const Way& way : ways) {
    const Obstacle found = obstacle(item, way);
    if (found.why.empty()) {
      take(item, way);
      return;
    }
    if (way.open() && way.unread.empty() && item.entry.bytes_allowed == 0) count_bytes(item, way);
    const bool fallback =
        way.channel == Channel::initrd || way.channel == Channel::reference || way.channel == Channel::kernel_line;
    if (!fallback || all.why.empty()) add_once(all.why, "; ", found.why);
    if (way.channel != Channel::initrd || all.remedy.empty()) add_once(all.remedy, ", or ", found.remedy);
  }
  item.entry.refused = all.why;
  item.entry.remedy = all.remedy;
}

bool can_go(const Item& item, std::span<const Way> ways) {
  return std::ranges::any_of(ways, [&](const Way& way) { return obstacle(item, way).why.empty(); });
}

/// What would be too much if all items of `way` went together; empty `why`: nothing.
Obstacle excess(std::span<const Item> items, const Way& way) {
  const std::vector<const Item*> mine = items_of(items, way.channel);
  if (mine.empty()) return {};
  if (way.channel == Channel::smbios) {
    const std::size_t bytes = pack(mine).bytes;
    if (bytes <= way.total_bytes) return {};
    return {fmt::format("the SMBIOS structures of the vm would take {} bytes, {} fit", bytes, way.total_bytes), {}};
  }
  if (way.channel == Channel::api) {
    const std::size_t bytes = raw_size(mine);
    if (bytes > way.total_bytes) {
      return {
          fmt::format("the OEM strings of the vm would take {} bytes, {} fit: {}", bytes, way.total_bytes, way.limit),
          way.remedy};
    }
  }
  if (way.channel == Channel::kernel_line) {
    std::size_t bytes = 0;
    for (const Item* item : mine) bytes += bytes_in(*item, way);
    if (bytes > way.total_bytes) {
      return {fmt::format("the credentials on the kernel line would take {} bytes, {} fit", bytes, way.total_bytes),
              {}};
    }
  }
  if (mine.size() > way.count) {
    return {fmt::format("the vm would have {} of them in one place, {} fit", mine.size(), way.count),
            "put several values into one credential"};
  }
  return {};
}

/// The item to move away: the largest that has somewhere to go, else the largest. The token stays longest.
Item* victim(std::span<Item> items, auto&& in_question, std::span<const Way> later) {
  Item* best = nullptr;
  const auto rank = [&](const Item& item) {
    return std::tuple(item.entry.host != kLinkCredential, can_go(item, later), item.cost());
  };
  for (Item& item : items) {
    if (!in_question(item)) continue;
    if (best == nullptr || rank(item) > rank(*best)) best = &item;
  }
  return best;
}

void settle(std::span<Item> items, const Way& way, std::span<const Way> later) {
  const auto mine = [&](const Item& item) { return item.entry.channel == way.channel; };
  for (Obstacle found = excess(items, way); !found.why.empty(); found = excess(items, way)) {
    Item* const item = victim(items, mine, later);
    if (item == nullptr) return;
    send(*item, later, found);
  }
}

/// systemd sums what it receives over all sources; the link is none of them.
void settle_total(std::span<Item> items, std::span<const Way> reference) {
  const auto received = [](const Item& item) {
    return item.listed && item.placed() && item.entry.channel != Channel::reference;
  };
  for (;;) {
    std::size_t bytes = 0;
    for (const Item& item : items) bytes += received(item) ? item.entry.size : 0;
    if (bytes <= kMaxCredentials) return;
    Item* const item = victim(items, received, reference);
    if (item == nullptr) return;
    send(
        *item, reference,
        {fmt::format("the credentials of the vm are {} bytes together, systemd takes {}", bytes, kMaxCredentials), {}});
  }
}

}  // namespace

std::vector<const Item*> items_of(std::span<const Item> items, Channel channel) {
  std::vector<const Item*> found;
  for (const Item& item : items) {
    if (item.entry.channel == channel) found.push_back(&item);
  }
  return found;
}

void route(std::span<Item> items, std::span<const Way> ways, declare::Delivery delivery) {
  const auto reference = ways.last(1);
  for (Item& item : items) {
    if (item.refused()) continue;
    const bool by_reference =
        delivery == declare::Delivery::reference && !item.text && item.entry.host != kLinkCredential;
    send(item, by_reference ? reference : ways);
  }
  for (std::size_t i = 0; i + 1 < ways.size(); ++i) {
    if (ways[i].open()) settle(items, ways[i], ways.subspan(i + 1));
  }
  settle_total(items, reference);
}

}  // namespace vmcred::credential
