// Why a VMM refused a request, in its own words and without the values that it was sent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/leak_scan.h"
#include "supervise/credentials.h"

namespace vmcred::supervise {

/// Of what a VMM answers, at most.
inline constexpr std::size_t kMaxReason = 1000;

/// Words of others, fit to be shown: `text`, or that it holds a part of a value.
class ShownWords {
 public:
  explicit ShownWords(const Secrets& secrets);
  [[nodiscard]] std::string operator()(std::string_view text) const;

 private:
  LeakPatterns patterns_;
  std::vector<Secret> short_;  ///< as base64: too short to be looked for in parts, in a body they stand whole
};

/// The links of the error chain in an answer, outermost first, with ": " between them: cloud-hypervisor's list of
/// strings, Firecracker's `fault_message`. Empty where the answer is neither. An error may repeat what it was sent
/// (serde quotes the text that it cannot read): a link that holds a part of a value, or a credential's text, is left
/// out and said to be.
std::string reason_of(std::string_view answer, const Secrets& secrets);

}  // namespace vmcred::supervise
