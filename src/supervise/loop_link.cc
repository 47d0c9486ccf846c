// What the guest says over its link: receipts, broken rules, the end of a refresh.
#include "supervise/loop.h"

#include <algorithm>

#include "supervise/refresh.h"

namespace vmcred::supervise {
namespace {

/// A guest cannot fill the log with what it does wrong on the link.
constexpr unsigned kMaxLinkWarnings = 20;
/// … nor with what its systemd says of each boot.
constexpr unsigned kMaxToldNotices = 60;

/// "'API_KEY' missing, 'JWT' truncated": names and states, no lengths, for it goes to the journal.
std::string shortcomings(const link::Receipt& receipt) {
  std::string text;
  for (const link::ReceiptEntry& entry : receipt.entries) {
    if (entry.state == link::State::received || entry.state == link::State::unexpected) continue;
    text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", entry.guest, link::state_name(entry.state));
  }
  return text;
}

/// Declared services of which the guest knows nothing, so that silence is not taken for proof.
void add_absent(const declare::Vm& vm, ReceiptLine& line) {
  for (const auto& [name, service] : vm.services) {
    const bool loads =
        std::ranges::any_of(service.load_credential, [&](const auto& pair) { return pair.second == line.guest; });
    const std::string unit = name.ends_with(".service") ? name : name + ".service";
    if (!loads || std::ranges::find(line.services, unit, &ServiceLine::unit) != line.services.end()) continue;
    line.services.push_back({.unit = unit, .state = std::string(kAbsent)});
  }
}

}  // namespace

Result<> Supervisor::on_link() {
  if (!link_) return {};
  TRY(link_->receive(now()));
  if (link_->flooded())
    complain_of_link(
        fmt::format("processes in the guest flood the link's port: {} connections within {} s that hold no key", kFlood,
                    kFloodWindow.count()));
  while (auto event = link_->session().take_event()) on_link_event(*event);
  return link_->send();
}

void Supervisor::complain_of_link(const std::string& text) {
  if (++link_warnings_ <= kMaxLinkWarnings) warn(text);
  if (link_warnings_ == kMaxLinkWarnings) warn("further complaints about the link are kept silent");
}

void Supervisor::on_link_event(const link::HostEvent& event) {
  if (const auto* const arrived = std::get_if<link::ReceiptArrived>(&event)) {
    on_receipt(arrived->receipt);
  } else if (const auto* const away = std::get_if<link::TurnedAway>(&event)) {
    ++status_.turned_away;
    complain_of_link("the link turned a speaker away: " + away->reason);
  } else if (const auto* const violation = std::get_if<link::Violation>(&event)) {
    complain_of_link("the guest broke the link's protocol: " + violation->reason);
  } else if (const auto* const refreshed = std::get_if<link::Refreshed>(&event)) {
    end_refresh(*refreshed);
  } else if (const auto* const leaving = std::get_if<link::Leaving>(&event)) {
    on_leaving(*leaving);
  }
}

void Supervisor::on_receipt(const link::Receipt& receipt) {
  // The guest lives, so its VMM has read everything, also one that cannot tell.
  if (const auto wiped = wipe_blobs(vmm_.blobs); !wiped) warn(wiped.error().message);
  if (const auto wiped = wipe_mapped(vmm_.mapped); !wiped) warn(wiped.error().message);
  const bool news = status_.generation != receipt.generation || status_.proven != receipt.complete();
  status_.generation = receipt.generation;
  status_.proven = receipt.complete();
  status_.guest_systemd = receipt.systemd_version;
  status_.notices = receipt.notices;
  status_.receipts.clear();
  for (const link::ReceiptEntry& entry : receipt.entries) {
    ReceiptLine line = {.guest = entry.guest,
                        .state = std::string(link::state_name(entry.state)),
                        .size = static_cast<std::size_t>(entry.size)};
    for (const link::Consumer& consumer : entry.consumers) line.services.push_back({consumer.unit, consumer.state});
    add_absent(mission_.vm, line);
    status_.receipts.push_back(std::move(line));
  }
  const bool only_asked = !status_clients_.empty() && !receipt_due_ && !news;
  answer_status_clients();
  if (only_asked) return;
  tell(Event::Kind::receipt, receipt.complete() ? "complete" : shortcomings(receipt), &receipt);
  if (!receipt_due_) return;
  receipt_due_ = false;
  limit_ = SteadyTime::max();
  if (receipt.complete()) {
    become_ready();
  } else {
    give_up(
        fmt::format("the guest of vm '{}' did not receive what was sent: {}", mission_.vm.name, shortcomings(receipt)),
        StopStep::agent);
  }
}

Result<link::Set> Supervisor::whole_set(Result<link::Set> declared) const {
  if (declared && !mission_.launch.notify_socket.empty()) {
    declared->values.emplace(credential::kNotifyCredential, Secret::copy_of(mission_.launch.notify_socket));
  }
  return declared;
}

void Supervisor::on_notices() {
  for (const Notice& notice : notices_.receive(now())) on_notice(notice);
}

void Supervisor::on_notice(const Notice& notice) {
  SystemdWord& word = status_.systemd;
  word.ready = word.ready || notice.ready;
  for (const auto& [said, kept] :
       {std::pair(&notice.status, &word.status), std::pair(&notice.hostname, &word.hostname),
        std::pair(&notice.unit_active, &word.unit), std::pair(&notice.shutdown, &word.shutdown)}) {
    if (!said->empty()) *kept = *said;
  }
  if (notice.exit_status) word.exit_status = *notice.exit_status;
  if (std::string text = notice_text(notice); !text.empty() && told_notices_ < kMaxToldNotices) {
    const bool last = ++told_notices_ == kMaxToldNotices;
    tell(Event::Kind::systemd, last ? "has said much; what else it says of this boot is not told" : std::move(text));
  }
  if (!notice.ready || !word_due_) return;
  word_due_ = false;
  limit_ = SteadyTime::max();
  become_ready();
}

void Supervisor::answer_status(std::uint64_t client) {
  if (!status_clients_.empty()) return status_clients_.push_back(client);  // the answer is under way
  if (refreshing_ || !link_ || !link_->session().ask_report()) return control_.answer(client, status_json(status_));
  status_clients_.push_back(client);
  status_limit_ = now() + mission_.fresh_report_limit;
}

void Supervisor::answer_status_clients() {
  for (const std::uint64_t client : std::exchange(status_clients_, {})) control_.answer(client, status_json(status_));
  status_limit_ = SteadyTime::max();
}

Result<> Supervisor::begin_refresh(const ControlServer::Request& request) {
  if (refreshing_) return fail(Errc::unavailable, "vm '{}' is being refreshed already", mission_.vm.name);
  if (!link_) return fail(Errc::unavailable, "vm '{}' has no link to its guest", mission_.vm.name);
  TRY_LET(NewValues fresh, unpack_values(mission_.vm, request.passed));
  Secrets& values = fresh.values;
  if (values.empty()) {
    return fail(Errc::unavailable, "vm '{}' has '{}' only once it starts again", mission_.vm.name,
                fresh.undeclared.front());
  }
  TRY_LET(link::Set set, whole_set(refreshed_set(mission_.vm, mission_.secrets, values, generation_ + 1)));
  if (mission_.plan_again) {
    Secrets next;
    for (const auto& [host, value] : mission_.secrets) {
      const auto newer = values.find(host);
      next.emplace(host, (newer == values.end() ? value : newer->second).clone());
    }
    TRY(in("the next start of the vm", mission_.plan_again(next)));
  }
  Json answer = refresh_details(mission_.secrets, fresh, set.actions);
  TRY(link_->session().refresh(std::move(set)));
  refreshing_ = Refreshing{.client = request.client,
                           .values = std::move(values),
                           .generation = generation_ + 1,
                           .taken_unix_ms = unix_ms(),
                           .answer = std::move(answer)};
  return {};  // the next turn writes it
}

void Supervisor::end_refresh(const link::Refreshed& end) {
  if (!refreshing_) return;
  Refreshing refreshing = *std::exchange(refreshing_, std::nullopt);
  if (end.ok) {
    generation_ = refreshing.generation;
    status_.expected_generation = generation_;
    status_.values_unix_ms = refreshing.taken_unix_ms;
    for (auto& [host, value] : refreshing.values) mission_.secrets.insert_or_assign(host, std::move(value));
  }
  Json answer = end.ok ? std::move(refreshing.answer) : Json::object();
  answer.set("refreshed", end.ok);
  answer.set("generation", static_cast<std::int64_t>(generation_));
  answer.set("error", end.text);
  control_.answer(refreshing.client, answer);
  if (!end.ok) warn("the refresh failed: " + end.text);
}

}  // namespace vmcred::supervise
