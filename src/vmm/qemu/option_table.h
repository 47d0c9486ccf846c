// The options of QEMU's command line that vmcred knows: a list of what passes, and of what is refused with a reason.
#pragma once

#include <span>
#include <string_view>

#include "vmm/option_list.h"

namespace vmcred::vmm::qemu {

/// An option of QEMU 5.2 to 11.1 (qemu-options.hx; `-help` omits some), without its dash. Whether it takes the next
/// word as its value decides what the word after it means, so the table is compared with real programs
/// (option_table_test.cc).
using KnownOption = ListedOption;
std::span<const KnownOption> known_options();

/// Those that are refused wherever they come from.
std::span<const RefusedOption> refused_options();

/// Options whose first word says what kind of thing they make (`-device virtio-net-pci,…`), and which kinds pass. A
/// name that ends in '*' stands for all that begin so.
struct TypedOption {
  std::string_view name;
  std::string_view key;  ///< the type's key where it is spelled out: -device driver=virtio-net-pci
  std::span<const std::string_view> types;
};
/// nullptr: the value of this option has no type.
const TypedOption* typed_option(std::string_view name);

}  // namespace vmcred::vmm::qemu
