#include "link/guest.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <utility>

#include "base/foreign_text.h"
#include "link/inbox.h"
#include "link/report_wire.h"
#include "link/set_wire.h"
#include "link/wire.h"

namespace vmcred::link {
namespace {

constexpr std::size_t kMaxOutput = 32 * 1024;

}  // namespace

struct GuestSession::Impl {
  explicit Impl(GuestConfig given) : config(std::move(given)), keys(derive_keys(config.key.bytes())) {
    assert(config.randomness != nullptr);
    Hello greeting = {.agent = config.agent, .boot_id = config.boot_id, .key = keys.id};
    config.randomness->fill(greeting.nonce);
    hello = encode_hello(greeting);
    inbox.seek(std::string(kWelcomeMagic) + std::string(text_of(greeting.nonce)), Welcome::kSize);
    // Whoever spoke before us may have stopped in the middle of a frame: these zeros end it, whatever its length.
    raw = std::string(kMaxFrame, '\0') + hello;
  }

  enum class Phase : std::uint8_t { welcome, task, ready, over };

  GuestConfig config;
  Keys keys;
  Phase phase = Phase::welcome;
  Inbox inbox;
  std::string hello;
  std::string raw;
  std::deque<std::pair<Type, std::string>> queue;
  std::optional<Sealer> sealer;
  std::optional<Opener> opener;
  SetReader set;
  bool first_is_due = false;  // the set that comes now is the first of this boot, no refresh
  std::deque<GuestEvent> events;

  void send(Type type, std::string payload) { queue.emplace_back(type, std::move(payload)); }

  Result<> take_welcome(Bytes bytes) {
    TRY_LET(const Welcome welcome, decode_welcome(bytes));
    if (welcome.version == 0) {
      phase = Phase::over;
      events.emplace_back(Refused{std::string(refusal_text(welcome.refusal))});
      return {};
    }
    if (welcome.version != kVersion) return fail(Errc::invalid_data, "the host speaks version {}", welcome.version);
    if (!welcome_is_proven(bytes, hello, keys.auth.bytes()))
      return fail(Errc::mismatch, "the host does not hold our token");
    StreamKeys stream = derive_stream_keys(keys.auth.bytes(), hello, text_of(bytes));
    sealer.emplace(std::move(stream.from_guest));
    opener.emplace(std::move(stream.from_host));
    inbox.frames();
    phase = Phase::task;
    FieldWriter open;
    open.integer(config.generation, 8);
    send(Type::open, open.bytes());
    return {};
  }

  Result<> take_task(Type type, Bytes payload) {
    FieldReader in(payload);
    Welcomed welcomed;
    welcomed.generation = in.integer(8);
    const std::uint8_t flags = in.u8();
    welcomed.set_follows = (flags & 1U) != 0;
    first_is_due = welcomed.set_follows && config.generation == 0;
    welcomed.vm = one_line(in.text());
    const Bytes session = (flags & 2U) != 0 ? in.raw(kSecretSize) : Bytes{};
    if (type != Type::task || !in.done()) return fail(Errc::invalid_data, "the host's first frame is malformed");
    if (!session.empty()) events.emplace_back(NewSecret{Secret::copy_of(session)});
    events.emplace_back(std::move(welcomed));
    phase = Phase::ready;
    return {};
  }

  Result<> take_frame(Bytes frame) {
    TRY_LET(const auto opened, opener->open(frame));
    const auto& [type, payload] = opened;
    if (phase == Phase::task) return take_task(type, payload);
    FieldReader in(payload);
    switch (type) {
      case Type::confirm: {
        (void)in.integer(8);
        const bool complete = in.u8() != 0;
        if (!in.done()) return fail(Errc::invalid_data, "a malformed confirmation");
        events.emplace_back(Confirmed{complete});
        return {};
      }
      case Type::power_off: {
        const std::uint8_t how = in.u8();
        if (!in.done() || how > kLastDeparture) return fail(Errc::invalid_data, "a malformed request to power off");
        events.emplace_back(PowerOff{static_cast<Departure>(how)});
        return {};
      }
      case Type::ask_report:
        events.emplace_back(ReportWanted{});
        return {};
      default:
        break;
    }
    TRY_LET(auto whole, set.take(type, payload));
    if (!whole) return {};
    // With actions it repairs what a lost refresh left behind, also where no set came by the link before.
    const bool first = std::exchange(first_is_due, false) && whole->actions.empty();
    events.emplace_back(Received{.set = *std::move(whole), .first = first});
    return {};
  }

  Result<> consume(Bytes input) {
    while (!input.empty() && phase != Phase::over) {
      TRY_LET(const auto message, inbox.next(input));
      if (!message) break;
      TRY(phase == Phase::welcome ? take_welcome(*message) : take_frame(*message));
    }
    return {};
  }
};

GuestSession::GuestSession(GuestConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
GuestSession::GuestSession(GuestSession&&) noexcept = default;
GuestSession& GuestSession::operator=(GuestSession&&) noexcept = default;
GuestSession::~GuestSession() = default;

Result<> GuestSession::receive(Bytes bytes) {
  auto taken = impl_->consume(bytes);
  if (!taken) impl_->phase = Impl::Phase::over;
  return taken;
}

bool GuestSession::has_output() const { return !impl_->raw.empty() || !impl_->queue.empty(); }

Secret GuestSession::take_output() {
  Impl& state = *impl_;
  Secret out(kMaxOutput);
  std::size_t used = 0;
  std::ranges::copy(bytes_of(state.raw), out.writable().begin());
  used += std::exchange(state.raw, {}).size();
  while (state.sealer && !state.queue.empty() && used + kMaxFrame <= kMaxOutput) {
    const auto [type, payload] = std::move(state.queue.front());
    state.queue.pop_front();
    used += state.sealer->seal(type, bytes_of(payload), out.writable().subspan(used));
  }
  out.shrink_to(used);
  return out;
}

std::optional<GuestEvent> GuestSession::take_event() {
  if (impl_->events.empty()) return std::nullopt;
  GuestEvent event = std::move(impl_->events.front());
  impl_->events.pop_front();
  return event;
}

Bytes GuestSession::receipt_key() const { return impl_->keys.receipt.bytes(); }

Result<> GuestSession::report(const Report& report) {
  if (impl_->phase != Impl::Phase::ready) return fail(Errc::unavailable, "the host did not answer yet");
  return write_report(report, [this](Type type, std::string payload) { impl_->send(type, std::move(payload)); });
}

Result<> GuestSession::refreshed(bool ok, std::uint64_t generation, const std::string& text) {
  if (impl_->phase != Impl::Phase::ready) return fail(Errc::unavailable, "the host did not answer yet");
  FieldWriter out;
  out.u8(ok ? 1 : 0);
  out.integer(generation, 8);
  out.raw(bytes_of(text).first(std::min(text.size(), kMaxNotice)));
  impl_->send(Type::refreshed, out.bytes());
  return {};
}

Result<> GuestSession::leaving(Departure how) {
  if (impl_->phase != Impl::Phase::ready) return fail(Errc::unavailable, "the host did not answer yet");
  FieldWriter out;
  out.u8(static_cast<std::uint8_t>(how));
  impl_->send(Type::leaving, out.bytes());
  return {};
}

}  // namespace vmcred::link
