// Properties: whatever is sent comes back as it was, however the stream is cut.
#include <gtest/gtest.h>
// gtest comes before rapidcheck's own header
#include <rapidcheck/gtest.h>

#include <deque>

#include "base/foreign_text.h"
#include "link/inbox.h"
#include "link/report_wire.h"
#include "link/set_wire.h"
#include "link/wire.h"

namespace vmcred::link {
namespace {

std::string any_name() {
  return *rc::gen::suchThat(rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7f)),
                            [](const std::string& name) { return !name.empty() && name.size() <= kMaxName; });
}

std::string any_bytes() { return *rc::gen::container<std::string>(rc::gen::arbitrary<char>()); }

/// Seals the pieces, cuts the stream anywhere and gives each payload to `take`.
template <class Pieces, class Take>
void carry(const Pieces& pieces, Take take) {
  const Secret key(32);
  Sealer sealer(key.clone());
  Opener opener(key.clone());
  std::string stream;
  for (const auto& [type, payload] : pieces) {
    Secret frame(Sealer::sealed_size(payload.size()));
    sealer.seal(type, payload.bytes(), frame.writable());
    stream += frame.text();
  }
  Inbox inbox;
  inbox.frames();
  std::size_t at = 0;
  while (at < stream.size()) {
    const auto step = std::min<std::size_t>(*rc::gen::inRange<std::size_t>(1, 9000), stream.size() - at);
    Bytes input = bytes_of(stream).subspan(at, step);
    at += step;
    while (!input.empty()) {
      const auto message = inbox.next(input);
      RC_ASSERT(message.has_value());
      if (!*message) break;
      const auto opened = opener.open(**message);
      RC_ASSERT(opened.has_value());
      take(opened->first, opened->second);
    }
  }
}

RC_GTEST_PROP(RoundTrip, ASetComesBackAsItWas, ()) {
  Set set = {.generation = *rc::gen::arbitrary<std::uint64_t>()};
  const auto count = *rc::gen::inRange(0, 8);
  for (int i = 0; i < count; ++i) {
    Secret value(*rc::gen::inRange<std::size_t>(0, 3 * kMaxPayload));
    for (auto& byte : value.writable()) byte = static_cast<std::uint8_t>(i + (&byte - value.writable().data()) * 7);
    set.values.insert_or_assign(any_name(), std::move(value));
  }
  for (int i = 0; i < count; ++i) {
    set.actions.push_back({.unit = any_name(),
                           .action = static_cast<Action>(*rc::gen::inRange(0, 4)),
                           .signal = any_name().substr(0, kMaxSignal),
                           .health_seconds = *rc::gen::arbitrary<std::uint16_t>(),
                           .health_command = {"/usr/bin/check", "--quick"}});
  }
  RC_ASSERT(check_set(set).has_value());
  std::deque<std::pair<Type, Secret>> pieces;
  SetWriter writer(set);
  while (auto piece = writer.next()) pieces.emplace_back(piece->type, std::move(piece->payload));
  SetReader reader;
  std::optional<Set> back;
  carry(pieces, [&](Type type, Bytes payload) {
    auto taken = reader.take(type, payload);
    RC_ASSERT(taken.has_value());
    if (*taken) back = **std::move(taken);
  });
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->generation == set.generation);
  RC_ASSERT(back->actions == set.actions);
  RC_ASSERT(back->values.size() == set.values.size());
  for (const auto& [name, value] : set.values) {
    RC_ASSERT(equal_in_constant_time(back->values.at(name).bytes(), value.bytes()));
  }
}

RC_GTEST_PROP(RoundTrip, AReportComesBackAsItWas, ()) {
  Report report = {.generation = *rc::gen::arbitrary<std::uint64_t>(), .systemd_version = any_name()};
  const auto count = *rc::gen::inRange(0, 8);
  for (int i = 0; i < count; ++i) {
    Copy copy = {.guest = any_name(),
                 .source = static_cast<Source>(*rc::gen::inRange(0, 5)),
                 .size = *rc::gen::arbitrary<std::uint64_t>()};
    copy.hash.fill(static_cast<std::uint8_t>(i));
    report.copies.push_back(copy);
    report.consumers.push_back({any_name(), any_name(), any_name(), "active"});
    report.outputs.push_back({fmt::format("unit-{}.service", i), printable(any_bytes())});
    report.notices.push_back(one_line(any_bytes()).substr(0, kMaxNotice));
  }
  std::deque<std::pair<Type, Secret>> pieces;
  const auto written = write_report(
      report, [&](Type type, const std::string& payload) { pieces.emplace_back(type, Secret::copy_of(payload)); });
  RC_ASSERT(written.has_value());
  ReportReader reader;
  std::optional<Report> back;
  carry(pieces, [&](Type type, Bytes payload) {
    auto taken = reader.take(type, payload);
    RC_ASSERT(taken.has_value());
    if (*taken) back = **std::move(taken);
  });
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->systemd_version == report.systemd_version);
  RC_ASSERT(back->consumers == report.consumers);
  RC_ASSERT(back->outputs == report.outputs);
  RC_ASSERT(back->copies.size() == report.copies.size());
  for (std::size_t i = 0; i < report.copies.size(); ++i) {
    RC_ASSERT(back->copies[i].guest == report.copies[i].guest);
    RC_ASSERT(back->copies[i].size == report.copies[i].size);
    RC_ASSERT(back->copies[i].hash == report.copies[i].hash);
  }
}

RC_GTEST_PROP(RoundTrip, PrintableTextIsItsOwnPrintable, ()) {
  const std::string once = printable(any_bytes());
  RC_ASSERT(printable(once) == once);
}

}  // namespace
}  // namespace vmcred::link
