// The words that stand for the model's choices in a declaration ("cloud-hypervisor", "required", "multiline-hidden").
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "declare/model.h"

namespace vmcred::declare {

std::string_view word(Hypervisor value);
std::string_view word(Delivery value);
std::string_view word(ReceiptMode value);
std::string_view word(Accel value);
std::string_view word(OnChange value);
std::string_view word(OnStale value);
std::string_view word(PromptType value);

/// All words of a choice, in the order of its enumerators.
template <class Choice>
std::span<const std::string_view> words();

template <class Choice>
std::optional<Choice> choice_of(std::string_view text) {
  const auto all = words<Choice>();
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i] == text) return static_cast<Choice>(i);
  return {};
}

}  // namespace vmcred::declare
