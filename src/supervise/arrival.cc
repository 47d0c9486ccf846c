#include "supervise/arrival.h"

#include <algorithm>
#include <array>
#include <vector>

#include "link/receipt.h"

namespace vmcred::supervise {
namespace {

bool was_sent(const ReceiptLine& line) { return line.state != link::state_name(link::State::unexpected); }

/// Why a credential is no better than `arrival`.
std::string reason_of(const ReceiptLine& line, Arrival arrival) {
  const std::string name = fmt::format("'{}'", line.guest);
  if (arrival == Arrival::broken) return fmt::format("{} {}", name, line.state);
  if (arrival != Arrival::arrived) return name;
  if (line.services.empty()) return fmt::format("nobody loads {}", name);
  std::string services;
  for (const ServiceLine& each : line.services) {
    if (runs(each.state)) continue;
    services += fmt::format("{}{} {}", services.empty() ? "" : ", ", each.unit,
                            each.state.empty() ? "may not have loaded it" : "is " + each.state);
  }
  return fmt::format("{} ({})", name, services);
}

/// A sentence says of three; the table below it has the rest.
std::string first_few(const std::vector<std::string>& all) {
  constexpr std::size_t kFew = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), kFew); ++i) text += (i == 0 ? "" : ", ") + all[i];
  return all.size() <= kFew ? text : fmt::format("{} and {} more", text, all.size() - kFew);
}

}  // namespace

std::string_view arrival_name(Arrival arrival) {
  constexpr std::array<std::string_view, 5> kNames = {"proven", "arrived", "unknown", "older than the store", "broken"};
  return kNames.at(static_cast<std::size_t>(arrival));
}

std::string_view arrival_mark(Arrival arrival) {
  constexpr std::array<std::string_view, 5> kMarks = {"●", "◐", "○", "◆", "✖"};
  return kMarks.at(static_cast<std::size_t>(arrival));
}

bool runs(std::string_view active_state) {
  return active_state == "active" || active_state == "reloading" || active_state == "refreshing";
}

Arrival arrival_of(const ReceiptLine& line) {
  if (line.state.empty()) return line.older ? Arrival::older : Arrival::unknown;
  if (line.state != link::state_name(link::State::received)) return Arrival::broken;
  if (line.older) return Arrival::older;
  const bool all_run = std::ranges::all_of(line.services, [](const ServiceLine& each) { return runs(each.state); });
  return !line.services.empty() && all_run ? Arrival::proven : Arrival::arrived;
}

Arrival arrival_of(const Status& status) {
  Arrival worst = Arrival::proven;
  bool any = false;
  for (const ReceiptLine& line : status.receipts) {
    if (!was_sent(line)) continue;
    any = true;
    worst = std::max(worst, arrival_of(line));
  }
  if (!status.older.empty()) worst = std::max(worst, Arrival::older);
  if (!any && status.proven) return Arrival::arrived;  // there was nothing to send
  return status.proven ? worst : std::max(worst, Arrival::unknown);
}

std::string arrival_text(const Status& status) {
  const Arrival whole = arrival_of(status);
  std::vector<std::string> all;
  for (const ReceiptLine& line : status.receipts) {
    if (was_sent(line) && arrival_of(line) == whole) all.push_back(reason_of(line, whole));
  }
  std::string reasons = first_few(all);
  switch (whole) {
    case Arrival::proven:
      return "proven: every credential arrived byte for byte, and its services run with it";
    case Arrival::arrived:
      return reasons.empty() ? "arrived: there was nothing to send"
                             : "every credential arrived byte for byte; not proven: " + reasons;
    case Arrival::unknown:
      return "unknown: no receipt came";
    case Arrival::older:
      break;
    case Arrival::broken:
      return "broken: " + reasons;
  }
  if (reasons.empty()) {
    for (const std::string& host : status.older) all.push_back(fmt::format("'{}'", host));
    reasons = first_few(all);
  }
  return fmt::format("older than the store: {}; 'vmcred vm refresh {}' brings the newer", reasons, status.vm);
}

}  // namespace vmcred::supervise
