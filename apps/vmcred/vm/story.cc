#include "vm/story.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/foreign_text.h"

namespace vmcred::app {
namespace {

constexpr std::size_t kLongestLine = 8192;

std::string receipt_text(const supervise::Event& event) {
  std::size_t received = 0;
  for (const auto& line : event.status.receipts) received += line.state == "received" ? 1 : 0;
  std::string text = fmt::format("receipt: {} {} arrived", received, received == 1 ? "credential" : "credentials");
  if (!event.status.proven) text += "; " + event.detail;
  return text;
}

}  // namespace

supervise::Wish Story::on_event(const supervise::Event& event) {
  last_ = event.status;
  using Kind = supervise::Event::Kind;
  switch (event.kind) {
    case Kind::vmm_started:
      tell(event, fmt::format("the VMM runs with {} (process {})", event.status.accel, event.status.vmm));
      break;
    case Kind::channel_wiped:
      tell(event, "its channel was read and wiped");
      break;
    case Kind::guest_running:
      tell(event, "the guest boots");
      break;
    case Kind::receipt:
      tell(event, receipt_text(event));
      break;
    case Kind::systemd:
      tell(event, "systemd says: " + event.detail);
      break;
    case Kind::ready:
      tell(event, "ready");
      break;
    case Kind::stopping:
      tell(event, "stopping: " + event.detail);
      break;
    case Kind::leaving:
      tell(event, "the guest shuts down: " + event.detail);
      break;
    case Kind::guest_ended:
      print_held();
      tell(event, event.detail);
      break;
    case Kind::vmm_exited:
      tell(event, "the VMM ended with " + event.detail);
      break;
    case Kind::vmm_said:
      tell_always(fmt::format("the VMM says: {}", event.detail));
      break;
    case Kind::warning:
      tell(event, "warning: " + event.detail);
      break;
  }
  return supervise::Wish::go_on;
}

supervise::Wish Story::on_console(std::string_view bytes) {
  if (!console_) return supervise::Wish::go_on;
  held_ += bytes;
  const std::size_t whole = held_.size() > kLongestLine ? held_.size() : held_.rfind('\n') + 1;
  print_bytes(world_, std::string_view(held_).substr(0, whole));
  held_.erase(0, whole);
  return supervise::Wish::go_on;
}

void Story::print_held() {
  if (!held_.empty()) print_bytes(world_, std::exchange(held_, {}) + "\n");
}

void Story::tell(const supervise::Event& event, const std::string& text) const {
  const double seconds = static_cast<double>(event.since_start.count()) / 1000;
  note(world_, fmt::format("{}: {:.3f} s: {}", vm_.name, seconds, one_line(text)));
}

void Story::tell_always(const std::string& text) const {
  World loud = world_;
  loud.quiet = false;  // --quiet is for our words
  note(loud, fmt::format("{}: {}", vm_.name, one_line(text)));
}

std::string unclean_stop(const declare::Vm& vm, const supervise::Outcome& outcome) {
  return fmt::format("vm '{}' was stopped, but its guest did not power off cleanly: {}", vm.name,
                     supervise::guest_end_text(outcome.end));
}

void warn_about_swap(const World& world) {
  constexpr std::size_t kMaxSwaps = 64 * 1024;
  const auto swaps = read_file("/proc/swaps", kMaxSwaps);
  if (!swaps || std::ranges::count(*swaps, '\n') < 2 || !world.env("INVOCATION_ID").empty()) return;
  note(world,
       "vmcred: warning: this machine has swap, and outside a unit (MemorySwapMax=0) the guest's memory may go there");
}

}  // namespace vmcred::app
