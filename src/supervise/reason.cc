#include "supervise/reason.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/json.h"

namespace vmcred::supervise {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::string_view kWithheld = "(withheld: it repeats a part of a credential)";

/// What stands before a value in a request's body.
constexpr std::array<std::string_view, 2> kMarks = {"io.systemd.credential", "systemd.set_credential"};

std::vector<std::string> chain_in(std::string_view answer) {
  const auto json = parse_json(answer, {.max_bytes = kMaxBody, .max_depth = 4});
  if (!json) return {};
  if (const std::string fault = json->string_at("fault_message"); !fault.empty()) return {fault};
  std::vector<std::string> chain;
  if (const Json::Array* const list = json->if_array()) {
    for (const Json& link : *list) {
      if (const std::string* const text = link.if_string()) chain.push_back(*text);
    }
  }
  return chain;
}

}  // namespace

ShownWords::ShownWords(const Secrets& secrets) {
  for (const auto& [host, value] : secrets) {
    if (!patterns_.add(host, value) && value.size() != 0) short_.push_back(base64_encode_secret(value.bytes()));
  }
}

std::string ShownWords::operator()(std::string_view text) const {
  LeakPatterns::Match match;
  const bool tells = std::ranges::any_of(kMarks, [&](std::string_view mark) { return text.contains(mark); }) ||
                     std::ranges::any_of(short_, [&](const Secret& value) { return text.contains(value.text()); }) ||
                     patterns_.find(bytes_of(text), &match);
  return std::string(tells ? kWithheld : text);
}

std::string reason_of(std::string_view answer, const Secrets& secrets) {
  const std::vector<std::string> chain = chain_in(answer);
  if (chain.empty()) return {};
  const ShownWords shown(secrets);
  std::string reason;
  for (const std::string& link : chain) {
    if (!reason.empty()) reason += ": ";
    reason += shown(link);
  }
  if (reason.size() > kMaxReason) reason = reason.substr(0, kMaxReason) + "…";
  return reason;
}

}  // namespace vmcred::supervise
