// What a user lets through although no list of ours has it: `--allow-option`, and `allow-options` of a declaration.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmcred::vmm {

/// Named exceptions from the lists of options that vmcred knows of a VMM. Each is one of
///
///     NAME        an option without a value
///     NAME=       one with a value, whatever that is
///     NAME=TYPE   one whose value is of this type: device=ivshmem-plain
///
/// An exception lets pass what vmcred does not know. What is known to open the guest's memory to others, or to take the
/// vm out of the supervisor's hands, stays refused.
class AllowedOptions {
 public:
  AllowedOptions() = default;
  explicit AllowedOptions(std::span<const std::string> words);

  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] bool with_value(std::string_view name) const;
  [[nodiscard]] bool type(std::string_view name, std::string_view type) const;

 private:
  std::vector<std::string> words_;
};

}  // namespace vmcred::vmm
