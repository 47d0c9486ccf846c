// The options that deliver a plan: the same for our own command lines and for those of others.
#pragma once

#include <string>

#include "vmm/launch.h"
#include "vmm/qemu/arguments.h"

namespace vmcred::vmm::qemu {

/// The path by which QEMU opens the memory file that `blob` becomes; adds it to the launch.
std::string add_blob(Launch& launch, Blob blob);

/// `-smbios` for each structure, `-fw_cfg` for each item.
void put_credentials(Arguments& arguments, Launch& launch, const credential::Plan& plan);

/// The virtio-serial port of the link. `bus` is "pci" or "device".
void put_link(Arguments& arguments, Launch& launch, std::string_view bus);

/// `tsc_early_khz=` and `lpj=` for a microvm under TCG, with a space in front, unless `line` has them; "" when the rate
/// is not known.
std::string clock_words(std::string_view line, std::uint64_t khz);

}  // namespace vmcred::vmm::qemu
