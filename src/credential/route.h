// Which way each credential takes: the first that carries it alone, then the next where all together are too much.
#pragma once

#include <span>
#include <vector>

#include "credential/capability.h"
#include "credential/item.h"

namespace vmcred::credential {

/// Gives each item that is not refused a channel, or refuses it with the numbers and a remedy.
void route(std::span<Item> items, std::span<const Way> ways, declare::Delivery delivery);

/// The items of one channel, in their order.
std::vector<const Item*> items_of(std::span<const Item> items, Channel channel);

}  // namespace vmcred::credential
