#include "link/set_wire.h"

#include <algorithm>

namespace vmcred::link {
namespace {

std::size_t total_size(const Set& set) {
  std::size_t total = 0;
  for (const auto& [guest, value] : set.values) total += value.size();
  return total;
}

Secret payload_of(const FieldWriter& out) { return Secret::copy_of(out.bytes()); }

Failure malformed(std::string_view what) { return fail(Errc::invalid_data, "a malformed {} in the set", what); }

}  // namespace

Set Set::clone() const {
  Set copy = {.generation = generation, .actions = actions};
  for (const auto& [guest, value] : values) copy.values.emplace(guest, value.clone());
  return copy;
}

Result<> check_set(const Set& set) {
  if (set.values.size() > kMaxSetCount)
    return fail(Errc::usage, "{} credentials, a set holds {}", set.values.size(), kMaxSetCount);
  if (total_size(set) > kMaxSetBytes)
    return fail(Errc::usage, "{} bytes of credentials, a set holds {}", total_size(set), kMaxSetBytes);
  if (set.actions.size() > kMaxActions)
    return fail(Errc::usage, "{} units, a set names {}", set.actions.size(), kMaxActions);
  for (const auto& [guest, value] : set.values) {
    if (!is_name(guest)) return fail(Errc::usage, "a credential without a proper name");
  }
  for (const UnitAction& action : set.actions) {
    if (!is_name(action.unit) || action.signal.size() > kMaxSignal)
      return fail(Errc::usage, "an action without a proper unit name");
    const bool command =
        action.health_command.size() <= kMaxCommandWords && std::ranges::all_of(action.health_command, is_name);
    if (!command) return fail(Errc::usage, "the health command of '{}' has words that cannot travel", action.unit);
  }
  return {};
}

std::optional<SetWriter::Piece> SetWriter::next() {
  FieldWriter out;
  switch (step_) {
    case Step::begin:
      out.integer(set_->generation, 8);
      out.integer(set_->values.size(), 4);
      out.integer(total_size(*set_), 4);
      step_ = Step::value;
      return Piece{Type::set_begin, payload_of(out)};
    case Step::value:
      if (value_ == set_->values.end()) {
        step_ = Step::action;
        return next();
      }
      out.integer(value_->second.size(), 4);
      out.text(value_->first);
      offset_ = 0;
      step_ = Step::chunk;
      return Piece{Type::set_value, payload_of(out)};
    case Step::chunk: {
      const Bytes rest = value_->second.bytes().subspan(offset_);
      if (rest.empty()) {
        ++value_;
        step_ = Step::value;
        return next();
      }
      const Bytes piece = rest.first(std::min(rest.size(), kMaxPayload));
      offset_ += piece.size();
      return Piece{Type::set_chunk, Secret::copy_of(piece)};
    }
    case Step::action: {
      if (action_ == set_->actions.size()) {
        step_ = Step::done;
        return Piece{Type::set_end, Secret()};
      }
      const UnitAction& action = set_->actions[action_++];
      out.u8(static_cast<std::uint8_t>(action.action));
      out.integer(action.health_seconds, 2);
      out.text(action.signal);
      out.text(action.unit);
      for (const std::string& word : action.health_command) out.text(word);
      return Piece{Type::set_action, payload_of(out)};
    }
    case Step::done:
      break;
  }
  return std::nullopt;
}

Result<std::optional<Set>> SetReader::take(Type type, Bytes payload) {
  FieldReader in(payload);
  if (type == Type::set_begin) {
    set_.emplace();
    value_ = nullptr;
    set_->generation = in.integer(8);
    count_ = static_cast<std::size_t>(in.integer(4));
    bytes_ = static_cast<std::size_t>(in.integer(4));
    if (!in.done() || count_ > kMaxSetCount || bytes_ > kMaxSetBytes) return malformed("beginning");
    return std::nullopt;
  }
  if (!set_) return fail(Errc::invalid_data, "a set without its beginning");
  const bool filling = value_ != nullptr && filled_ < value_->size();
  if (filling != (type == Type::set_chunk)) return fail(Errc::invalid_data, "a set out of order");
  switch (type) {
    case Type::set_value: {
      const auto size = static_cast<std::size_t>(in.integer(4));
      const std::string guest(in.text());
      if (!in.done() || !is_name(guest) || size > bytes_ || count_ == 0 || set_->values.contains(guest)) {
        return malformed("credential");
      }
      --count_;
      bytes_ -= size;
      filled_ = 0;
      value_ = &set_->values.emplace(guest, Secret(size)).first->second;
      return std::nullopt;
    }
    case Type::set_chunk:
      if (payload.empty() || payload.size() > value_->size() - filled_) return malformed("value");
      std::ranges::copy(payload, value_->writable().begin() + static_cast<std::ptrdiff_t>(filled_));
      filled_ += payload.size();
      return std::nullopt;
    case Type::set_action: {
      UnitAction action;
      const std::uint8_t what = in.u8();
      action.action = static_cast<Action>(what);
      action.health_seconds = static_cast<std::uint16_t>(in.integer(2));
      action.signal = in.text();
      action.unit = in.text();
      while (in.ok() && !in.done() && action.health_command.size() < kMaxCommandWords) {
        action.health_command.emplace_back(in.text());
      }
      const bool good = in.done() && std::ranges::all_of(action.health_command, is_name) && is_name(action.unit) &&
                        what <= static_cast<std::uint8_t>(Action::none) &&
                        (action.signal.empty() || is_name(action.signal)) && action.signal.size() <= kMaxSignal;
      if (!good || set_->actions.size() == kMaxActions) return malformed("action");
      set_->actions.push_back(std::move(action));
      return std::nullopt;
    }
    case Type::set_end: {
      if (!payload.empty() || count_ != 0 || bytes_ != 0) return malformed("end");
      value_ = nullptr;
      Set whole = *std::move(set_);
      set_.reset();
      return whole;
    }
    default:
      return fail(Errc::invalid_data, "a frame of an unexpected type");
  }
}

}  // namespace vmcred::link
