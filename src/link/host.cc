#include "link/host.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <utility>
#include <vector>

#include "base/foreign_text.h"
#include "link/inbox.h"
#include "link/report_wire.h"
#include "link/set_wire.h"
#include "link/wire.h"

namespace vmcred::link {
namespace {

constexpr std::size_t kMaxOutput = 32 * 1024;

/// One secret that opens the link.
struct Key {
  Keys keys;
  bool is_token = false;
};

struct Piece {
  Type type;
  Secret payload;
};

std::string boot_id_text(const std::array<std::uint8_t, 16>& id) {
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", id[i]);
  }
  return text;
}

}  // namespace

struct HostSession::Impl {
  explicit Impl(HostConfig given) : config(std::move(given)), first_generation(config.expected.generation) {
    assert(config.randomness != nullptr && config.token.size() == 32);
    token_id = derive_keys(config.token.bytes()).id;
    keys.push_back({.keys = derive_keys(config.token.bytes()), .is_token = true});
    config.token = Secret();
  }

  enum class Phase : std::uint8_t { hello, proof, open };

  HostConfig config;
  std::uint64_t first_generation;
  KeyId token_id = {};
  std::vector<Key>
      keys;  // all that are valid now: at most the token or a used session secret, and the one handed out last
  std::optional<std::array<std::uint8_t, 16>> boot_id;
  bool spent = false;
  std::optional<Receipt> receipt;
  std::deque<HostEvent> events;

  // of the stream at hand
  Phase phase = Phase::hello;
  Inbox inbox;
  Hello hello;
  std::string raw;          // handshake bytes to write first
  std::deque<Piece> queue;  // frames to be sealed
  std::optional<SetWriter> writer;
  std::optional<Sealer> sealer;
  std::optional<Opener> opener;
  std::optional<ReportReader> report;
  Secret receipt_key;
  int reports_due = 0;

  std::optional<Set> pending;  // of a refresh that runs
  std::optional<Set> repair;   // what an agent is sent that holds something else
  /// Of a refresh whose end nobody knows: these units may run with its values, whatever set is in place now.
  std::vector<UnitAction> unsettled;
  bool repairing = false;  // the answer to a repair is due

  void restart() {
    phase = Phase::hello;
    inbox.seek(std::string(kHelloMagic), Hello::kSize);
    raw.clear();
    queue.clear();
    writer.reset();
    sealer.reset();
    opener.reset();
    report.reset();
    reports_due = 0;
    repair.reset();
    repairing = false;
    if (pending) {
      if (!pending->actions.empty()) unsettled = std::move(pending->actions);
      pending.reset();
      events.emplace_back(
          Refreshed{.ok = false, .generation = config.expected.generation, .text = "the guest left the link"});
    }
  }

  void violation(std::string reason) {
    restart();
    // A flood of nonsense is one event, not a flood of events.
    if (events.empty() || !std::holds_alternative<Violation>(events.back()))
      events.emplace_back(Violation{std::move(reason)});
  }

  /// The reply that says so; and an event, of which a flood makes one.
  std::string turn_away(const Hello& from, Refusal refusal) {
    TurnedAway event{std::string(refusal_text(refusal))};
    if (events.empty() || !std::holds_alternative<TurnedAway>(events.back())) events.emplace_back(std::move(event));
    return encode_welcome({.guest_nonce = from.nonce, .version = 0, .refusal = refusal}, {}, std::nullopt);
  }

  [[nodiscard]] auto key_of(const Hello& from) {
    return std::ranges::find(keys, from.key, [](const Key& one) { return one.keys.id; });
  }

  /// Why a hello is not let in.
  Refusal judge(const Hello& from) {
    if (from.lowest > kVersion || from.highest < kVersion) return Refusal::version;
    if (key_of(from) == keys.end()) return from.key == token_id ? Refusal::spent : Refusal::unknown_key;
    if (boot_id && *boot_id != from.boot_id) return Refusal::other_boot;
    return Refusal::none;
  }

  void take_hello(Bytes bytes) {
    const auto decoded = decode_hello(bytes);
    if (!decoded) return violation(decoded.error().message);
    if (const Refusal refusal = judge(*decoded); refusal != Refusal::none) {
      restart();
      raw = turn_away(*decoded, refusal);
      return;
    }
    const auto key = key_of(*decoded);
    restart();
    hello = *decoded;
    Welcome welcome = {.guest_nonce = hello.nonce, .version = kVersion};
    config.randomness->fill(welcome.nonce);
    raw = encode_welcome(welcome, text_of(bytes), key->keys.auth.bytes());
    StreamKeys stream = derive_stream_keys(key->keys.auth.bytes(), text_of(bytes), raw);
    sealer.emplace(std::move(stream.from_host));
    opener.emplace(std::move(stream.from_guest));
    receipt_key = key->keys.receipt.clone();
    phase = Phase::proof;
    inbox.frames();
  }

  /// The first frame: its tag proved the key.
  void take_open(Type type, Bytes payload) {
    FieldReader in(payload);
    const std::uint64_t held = in.integer(8);
    if (type != Type::open || !in.done()) return violation("the guest did not begin with its proof");
    const auto key = key_of(hello);
    if (key == keys.end()) return violation("the guest's key ended meanwhile");
    boot_id = hello.boot_id;
    phase = Phase::open;
    events.emplace_back(Opened{.version = kVersion, .agent = hello.agent});

    const bool current = config.by_reference ? held == config.expected.generation
                                             : (held == 0 ? first_generation : held) == config.expected.generation;
    FieldWriter task;
    task.integer(config.expected.generation, 8);
    const bool sends = hello.agent && (!current || !unsettled.empty());
    task.u8(static_cast<std::uint8_t>((sends ? 1 : 0) | (hello.agent ? 2 : 0)));
    task.text(config.vm);
    Secret session;
    if (hello.agent) {
      session = config.randomness->secret(kSecretSize);
      Key used = std::move(*key);
      keys.clear();
      keys.push_back(std::move(used));
      keys.push_back({.keys = derive_keys(session.bytes())});
    }
    Secret payload_out(task.bytes().size() + session.size());
    std::ranges::copy(bytes_of(task.bytes()), payload_out.writable().begin());
    std::ranges::copy(session.bytes(),
                      payload_out.writable().begin() + static_cast<std::ptrdiff_t>(task.bytes().size()));
    queue.push_back({Type::task, std::move(payload_out)});
    reports_due = 1;
    if (!sends) return;
    repair = config.expected.clone();
    if (!unsettled.empty()) repair->actions = unsettled;
    writer.emplace(*repair);
    repairing = held != 0 || !repair->actions.empty();  // a first set is only reported
  }

  void take_report(const Report& whole) {
    if (reports_due == 0) return violation("a report that nobody asked for");
    --reports_due;
    const bool of_pending = pending && whole.generation == pending->generation;
    Receipt made = make_receipt(whole, of_pending ? pending->values : config.expected.values, receipt_key.bytes());
    made.boot_id = boot_id_text(*boot_id);
    const bool complete = made.complete();
    if (complete && !std::exchange(spent, true)) {
      std::erase_if(keys, [](const Key& key) { return key.is_token; });
    }
    FieldWriter confirm;
    confirm.integer(whole.generation, 8);
    confirm.u8(complete ? 1 : 0);
    queue.push_back({Type::confirm, Secret::copy_of(confirm.bytes())});
    receipt = made;
    events.emplace_back(ReceiptArrived{std::move(made)});
  }

  void take_refreshed(Bytes payload) {
    FieldReader in(payload);
    const bool ok = in.u8() != 0;
    const std::uint64_t generation = in.integer(8);
    const std::string text = one_line(in.rest());
    if (!in.done() || text.size() > kMaxNotice) return violation("a malformed end of a refresh");
    if (!pending) {  // the answer to a repair
      repairing = false;
      if (ok && generation == config.expected.generation) unsettled.clear();
      return;
    }
    if (ok && generation != pending->generation) return violation("a refresh that ended with another generation");
    // The guest's word is not enough: it must have proven the new set.
    const bool proven = receipt && receipt->generation == pending->generation && receipt->complete();
    writer.reset();
    if (ok && proven) config.expected = *std::move(pending);
    pending.reset();
    events.emplace_back(Refreshed{.ok = ok && proven,
                                  .generation = generation,
                                  .text = ok && !proven ? "the guest did not prove the new credentials" : text});
  }

  void take_leaving(Bytes payload) {
    FieldReader in(payload);
    const std::uint8_t how = in.u8();
    if (!in.done() || how > kLastDeparture || !hello.agent) return violation("a malformed farewell");
    events.emplace_back(Leaving{static_cast<Departure>(how)});
  }

  void take_frame(Bytes frame) {
    const auto opened = opener->open(frame);
    if (!opened) return resynchronise(opened.error().message);
    const auto [type, payload] = *opened;
    if (phase == Phase::proof) return take_open(type, payload);
    if (type == Type::refreshed) return take_refreshed(payload);
    if (type == Type::leaving) return take_leaving(payload);
    if (!report) report.emplace();
    auto taken = report->take(type, payload);
    if (!taken) return violation(taken.error().message);
    if (*taken) take_report(**taken);
  }

  /// What came is no frame of this stream. A guest that begins anew writes its hello into the middle of what its
  /// predecessor left unfinished, so what was collected is read again.
  void resynchronise(std::string reason) {
    const Secret collected = inbox.take_collected();
    const bool quiet = std::ranges::all_of(collected.bytes(), [](std::uint8_t byte) { return byte == 0; });
    if (quiet) {
      restart();
    } else {
      violation(std::move(reason));
    }
    consume(collected.bytes());
  }

  void consume(Bytes input) {
    while (!input.empty()) {
      const auto message = inbox.next(input);
      if (!message) {
        resynchronise(message.error().message);
      } else if (!*message) {
        return;
      } else if (phase == Phase::hello) {
        take_hello(**message);
      } else {
        take_frame(**message);
      }
    }
  }

  std::optional<Piece> next_piece() {
    if (!queue.empty()) {
      Piece piece = std::move(queue.front());
      queue.pop_front();
      return piece;
    }
    if (!writer) return std::nullopt;
    auto next = writer->next();
    if (!next) {
      writer.reset();
      return std::nullopt;
    }
    return Piece{next->type, std::move(next->payload)};
  }

  [[nodiscard]] bool agent_is_open() const { return phase == Phase::open && hello.agent; }
};

HostSession::HostSession(HostConfig config) : impl_(std::make_unique<Impl>(std::move(config))) { impl_->restart(); }
HostSession::HostSession(HostSession&&) noexcept = default;
HostSession& HostSession::operator=(HostSession&&) noexcept = default;
HostSession::~HostSession() = default;

std::optional<std::string> HostSession::screen(Bytes hello) {
  Impl& state = *impl_;
  const auto decoded = decode_hello(hello);
  const Refusal refusal = decoded ? state.judge(*decoded) : Refusal::malformed;
  if (refusal == Refusal::none) return std::nullopt;
  return state.turn_away(decoded ? *decoded : Hello{}, refusal);
}

void HostSession::begin_stream() { impl_->restart(); }
void HostSession::receive(Bytes bytes) { impl_->consume(bytes); }

bool HostSession::has_output() const {
  return !impl_->raw.empty() || !impl_->queue.empty() || impl_->writer.has_value();
}

Secret HostSession::take_output() {
  Impl& state = *impl_;
  Secret out(kMaxOutput);
  std::size_t used = 0;
  std::ranges::copy(bytes_of(state.raw), out.writable().begin());
  used += std::exchange(state.raw, {}).size();
  while (used + kMaxFrame <= kMaxOutput && state.phase == Impl::Phase::open) {
    const auto piece = state.next_piece();
    if (!piece) break;
    used += state.sealer->seal(piece->type, piece->payload.bytes(), out.writable().subspan(used));
  }
  out.shrink_to(used);
  return out;
}

std::optional<HostEvent> HostSession::take_event() {
  if (impl_->events.empty()) return std::nullopt;
  HostEvent event = std::move(impl_->events.front());
  impl_->events.pop_front();
  return event;
}

bool HostSession::open() const { return impl_->phase == Impl::Phase::open; }
bool HostSession::has_agent() const { return impl_->agent_is_open(); }
const std::optional<Receipt>& HostSession::receipt() const { return impl_->receipt; }
bool HostSession::spent() const { return impl_->spent; }

Result<> HostSession::refresh(Set set) {
  Impl& state = *impl_;
  if (!state.agent_is_open()) return fail(Errc::unavailable, "no agent of vm '{}' is on the link", state.config.vm);
  if (state.pending || state.writer)
    return fail(Errc::unavailable, "vm '{}' is being refreshed already", state.config.vm);
  if (state.repairing)
    return fail(Errc::unavailable, "vm '{}' still recovers from an earlier refresh", state.config.vm);
  TRY(check_set(set));
  state.pending = std::move(set);
  state.writer.emplace(*state.pending);
  ++state.reports_due;
  return {};
}

Result<> HostSession::power_off(Departure how) {
  if (!impl_->agent_is_open()) return fail(Errc::unavailable, "no agent of vm '{}' is on the link", impl_->config.vm);
  FieldWriter payload;
  payload.u8(static_cast<std::uint8_t>(how));
  impl_->queue.push_back({Type::power_off, Secret::copy_of(payload.bytes())});
  return {};
}

Result<> HostSession::ask_report() {
  if (!impl_->agent_is_open()) return fail(Errc::unavailable, "no agent of vm '{}' is on the link", impl_->config.vm);
  impl_->queue.push_back({Type::ask_report, Secret()});
  ++impl_->reports_due;
  return {};
}

}  // namespace vmcred::link
