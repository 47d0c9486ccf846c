// What a crosvm must not be started with, whoever wrote its command line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::crosvm {

/// Refuses a word that asks for crosvm's control socket (-s, --socket). Its protocol is crosvm's own and changes from
/// one build to the next, so that no guard can tell a power key from a snapshot, and a snapshot holds the guest's
/// memory. Where snapshots are exposed it is kept as it is: a socket for the VM's own user and root.
Result<> refuse_control_socket(std::span<const std::string> words, const Context& context);

/// The words without that socket.
std::vector<std::string> without_control_socket(std::span<const std::string> words);

}  // namespace vmcred::vmm::crosvm
