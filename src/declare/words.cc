#include "declare/words.h"

#include <array>

namespace vmcred::declare {
namespace {
constexpr std::array<std::string_view, 5> kHypervisors{"qemu", "cloud-hypervisor", "crosvm", "firecracker", "kvmtool"};
constexpr std::array<std::string_view, 3> kDeliveries{"auto", "value", "reference"};
constexpr std::array<std::string_view, 2> kReceipts{"required", "off"};
constexpr std::array<std::string_view, 3> kAccels{"auto", "kvm", "tcg"};
constexpr std::array<std::string_view, 4> kOnChange{"restart", "reload", "signal", "none"};
constexpr std::array<std::string_view, 2> kOnStale{"report", "regenerate"};
constexpr std::array<std::string_view, 4> kPrompts{"hidden", "line", "multiline", "multiline-hidden"};
}  // namespace

template <>
std::span<const std::string_view> words<Hypervisor>() {
  return kHypervisors;
}
template <>
std::span<const std::string_view> words<Delivery>() {
  return kDeliveries;
}
template <>
std::span<const std::string_view> words<ReceiptMode>() {
  return kReceipts;
}
template <>
std::span<const std::string_view> words<Accel>() {
  return kAccels;
}
template <>
std::span<const std::string_view> words<OnChange>() {
  return kOnChange;
}
template <>
std::span<const std::string_view> words<OnStale>() {
  return kOnStale;
}
template <>
std::span<const std::string_view> words<PromptType>() {
  return kPrompts;
}

std::string_view word(Hypervisor value) { return kHypervisors.at(static_cast<std::size_t>(value)); }
std::string_view word(Delivery value) { return kDeliveries.at(static_cast<std::size_t>(value)); }
std::string_view word(ReceiptMode value) { return kReceipts.at(static_cast<std::size_t>(value)); }
std::string_view word(Accel value) { return kAccels.at(static_cast<std::size_t>(value)); }
std::string_view word(OnChange value) { return kOnChange.at(static_cast<std::size_t>(value)); }
std::string_view word(OnStale value) { return kOnStale.at(static_cast<std::size_t>(value)); }
std::string_view word(PromptType value) { return kPrompts.at(static_cast<std::size_t>(value)); }

}  // namespace vmcred::declare
