// The values of cloud-hypervisor's options: lists of keys, modes of a console, descriptors, and what they are in its
// API.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "vmm/cloud_hypervisor/option_keys.h"

namespace vmcred::vmm::cloud_hypervisor {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// Elements of "a=1,b=[x,y],c=\"z,z\"": commas count outside of brackets and quotes, as cloud-hypervisor reads them.
/// An element without '=' has an empty value. Unbalanced text is `usage`.
Result<Properties> split_properties(std::string_view text);

/// The elements as an object of the API; `usage` names the option and a key that is not among `keys` or has no usable
/// value.
Result<Json> object_of(std::string_view option, const Properties& properties, std::span<const Key> keys);

/// "tty", "file=PATH", … of --serial and --console.
Result<Json> console_of(std::string_view option, std::string_view text);

/// "[3,4]" or "3", of --net.
Result<std::vector<int>> fds_of(std::string_view text);

}  // namespace vmcred::vmm::cloud_hypervisor
