#include "link/receipt.h"

#include <fmt/core.h>

#include <algorithm>

namespace vmcred::link {
namespace {

std::array<std::uint8_t, 8> little_endian(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes = {};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return bytes;
}

std::string_view source_name(Source source) {
  switch (source) {
    case Source::system:
      return "the system's credentials";
    case Source::fw_cfg:
      return "fw_cfg";
    case Source::smbios:
      return "SMBIOS";
    case Source::kernel_line:
      return "the kernel command line";
    case Source::credstore:
      return "a credstore folder";
  }
  return "an unknown source";
}

/// What became of one credential, given every copy of it that the guest holds. The value is hashed twice at most,
/// however many copies a guest claims.
ReceiptEntry judge(const std::string& guest, Bytes value, const std::vector<const Copy*>& copies, Bytes key) {
  ReceiptEntry entry = {.guest = guest, .expected_size = value.size()};
  const Digest whole = credential_hash(key, guest, value);
  const auto same = [&](const Copy* copy) {
    return copy->size == value.size() && equal_in_constant_time(copy->hash, whole);
  };
  const auto in_system = [](const Copy* copy) { return copy->source == Source::system; };
  const auto counts = std::ranges::find_if(copies, in_system);
  const auto other = std::ranges::find_if(copies, [&](const Copy* copy) { return !in_system(copy) && same(copy); });
  if (counts == copies.end()) {
    entry.detail = other == copies.end() ? std::string("the guest does not hold it")
                                         : fmt::format("it arrived by {}, but the guest's systemd did not take it",
                                                       source_name((*other)->source));
    return entry;
  }
  const Copy& copy = **counts;
  entry.size = copy.size;
  const auto is_beginning = [&] {
    return copy.size < value.size() &&
           equal_in_constant_time(copy.hash,
                                  credential_hash(key, guest, value.first(static_cast<std::size_t>(copy.size))));
  };
  if (same(&copy)) {
    entry.state = State::received;
  } else if (is_beginning()) {
    entry.state = State::truncated;
    entry.detail = fmt::format("{} of {} bytes arrived", copy.size, value.size());
  } else if (other != copies.end()) {
    entry.state = State::shadowed;
    entry.detail =
        fmt::format("it arrived by {}, but another value of that name came first", source_name((*other)->source));
  } else {
    entry.state = State::changed;
    entry.detail = fmt::format("{} bytes were sent, {} other ones are there", value.size(), copy.size);
  }
  return entry;
}

}  // namespace

Digest credential_hash(Bytes receipt_key, std::string_view guest, Bytes value) {
  return hmac_sha256(receipt_key, {little_endian(guest.size()), bytes_of(guest), value});
}

std::string_view state_name(State state) {
  switch (state) {
    case State::received:
      return "received";
    case State::truncated:
      return "truncated";
    case State::changed:
      return "changed";
    case State::missing:
      return "missing";
    case State::shadowed:
      return "shadowed";
    case State::unexpected:
      return "unexpected";
  }
  return "unknown";
}

bool Receipt::complete() const {
  return std::ranges::all_of(entries, [](const ReceiptEntry& entry) {
    return entry.state == State::received || entry.state == State::unexpected;
  });
}

Receipt make_receipt(const Report& report, const std::map<std::string, Secret>& expected, Bytes receipt_key) {
  Receipt receipt = {.generation = report.generation,
                     .systemd_version = report.systemd_version,
                     .outputs = report.outputs,
                     .notices = report.notices};
  std::map<std::string, std::vector<const Copy*>> copies;
  for (const Copy& copy : report.copies) copies[copy.guest].push_back(&copy);
  for (const auto& [guest, value] : expected) {
    const auto found = copies.find(guest);
    receipt.entries.push_back(
        judge(guest, value.bytes(), found == copies.end() ? std::vector<const Copy*>{} : found->second, receipt_key));
  }
  for (const auto& [guest, held] : copies) {
    if (expected.contains(guest)) continue;
    const auto counts = std::ranges::find(held, Source::system, [](const Copy* copy) { return copy->source; });
    if (counts == held.end()) continue;  // offered by the machine and not taken: nobody can read it
    receipt.entries.push_back(
        {.guest = guest, .state = State::unexpected, .size = (*counts)->size, .detail = "nobody sent it"});
  }
  for (ReceiptEntry& entry : receipt.entries) {
    for (const Consumer& consumer : report.consumers) {
      if (consumer.guest == entry.guest) entry.consumers.push_back(consumer);
    }
  }
  return receipt;
}

}  // namespace vmcred::link
