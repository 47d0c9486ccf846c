#include "link/report_wire.h"

#include "base/foreign_text.h"

#include <algorithm>

namespace vmcred::link {
namespace {

Failure malformed(std::string_view what) { return fail(Errc::invalid_data, "a malformed {} in the report", what); }
Failure too_many(std::string_view what) { return fail(Errc::invalid_data, "too many {} in the report", what); }

bool fits(std::string_view text) { return text.size() <= kMaxName; }

}  // namespace

Result<> write_report(const Report& report, const std::function<void(Type, std::string)>& give) {
  std::size_t output_bytes = 0;
  for (const UnitOutput& output : report.outputs) output_bytes += output.text.size();
  const bool small = report.copies.size() <= kMaxCopies && report.consumers.size() <= kMaxConsumers &&
                     report.notices.size() <= kMaxNotices && report.outputs.size() <= kMaxOutputs &&
                     output_bytes <= kMaxOutputBytes && fits(report.systemd_version);
  if (!small) return fail(Errc::usage, "the report is too large");
  for (const Copy& copy : report.copies) {
    if (!is_name(copy.guest)) return fail(Errc::usage, "the report has a credential without a proper name");
  }
  for (const Consumer& consumer : report.consumers) {
    if (!is_name(consumer.guest) || !is_name(consumer.id) || !is_name(consumer.unit) || !fits(consumer.state)) {
      return fail(Errc::usage, "the report has a consumer without a proper name");
    }
  }
  FieldWriter begin;
  begin.integer(report.generation, 8);
  begin.text(report.systemd_version);
  give(Type::report_begin, begin.bytes());
  for (const Copy& copy : report.copies) {
    FieldWriter out;
    out.u8(static_cast<std::uint8_t>(copy.source));
    out.integer(copy.size, 8);
    out.raw(copy.hash);
    out.text(copy.guest);
    give(Type::report_copy, out.bytes());
  }
  for (const Consumer& consumer : report.consumers) {
    FieldWriter out;
    out.text(consumer.guest);
    out.text(consumer.id);
    out.text(consumer.unit);
    out.text(consumer.state);
    give(Type::report_consumer, out.bytes());
  }
  constexpr std::size_t kPiece = kMaxPayload - 1 - kMaxName;
  for (const UnitOutput& output : report.outputs) {
    std::string_view rest = output.text;
    do {
      FieldWriter out;
      out.text(output.unit.substr(0, kMaxName));
      out.raw(bytes_of(rest.substr(0, kPiece)));
      rest.remove_prefix(std::min(kPiece, rest.size()));
      give(Type::report_output, out.bytes());
    } while (!rest.empty());
  }
  for (const std::string& notice : report.notices) give(Type::report_notice, notice.substr(0, kMaxNotice));
  give(Type::report_end, {});
  return {};
}

Result<std::optional<Report>> ReportReader::take(Type type, Bytes payload) {
  FieldReader in(payload);
  if (type == Type::report_begin) {
    report_.emplace();
    output_bytes_ = 0;
    report_->generation = in.integer(8);
    report_->systemd_version = one_line(in.text());
    if (!in.done()) return malformed("beginning");
    return std::nullopt;
  }
  if (!report_) return fail(Errc::invalid_data, "a report without its beginning");
  Report& report = *report_;
  if (type == Type::report_copy) {
    if (report.copies.size() == kMaxCopies) return too_many("credentials");
    Copy copy;
    const std::uint8_t source = in.u8();
    copy.source = static_cast<Source>(source);
    copy.size = in.integer(8);
    const Bytes hash = in.raw(copy.hash.size());
    std::ranges::copy(hash, copy.hash.begin());
    copy.guest = in.text();
    if (!in.done() || !is_name(copy.guest) || source > static_cast<std::uint8_t>(Source::credstore)) {
      return malformed("credential");
    }
    report.copies.push_back(std::move(copy));
  } else if (type == Type::report_consumer) {
    if (report.consumers.size() == kMaxConsumers) return too_many("consumers");
    Consumer consumer;
    consumer.guest = in.text();
    consumer.id = in.text();
    consumer.unit = in.text();
    consumer.state = one_line(in.text());
    if (!in.done() || !is_name(consumer.guest) || !is_name(consumer.id) || !is_name(consumer.unit)) {
      return malformed("consumer");
    }
    report.consumers.push_back(std::move(consumer));
  } else if (type == Type::report_output) {
    const std::string unit(in.text());
    const std::string_view text = in.rest();
    if (!in.done() || !is_name(unit)) return malformed("output");
    output_bytes_ += text.size();
    if (output_bytes_ > kMaxOutputBytes) return too_many("bytes of output");
    if (report.outputs.empty() || report.outputs.back().unit != unit) {
      if (report.outputs.size() == kMaxOutputs) return too_many("outputs");
      report.outputs.push_back({.unit = unit, .text = {}});
    }
    report.outputs.back().text += text;
  } else if (type == Type::report_notice) {
    if (report.notices.size() == kMaxNotices) return too_many("notices");
    if (payload.size() > kMaxNotice) return malformed("notice");
    report.notices.push_back(one_line(text_of(payload)));
  } else if (type == Type::report_end) {
    if (!payload.empty()) return malformed("end");
    Report whole = *std::exchange(report_, std::nullopt);
    for (UnitOutput& output : whole.outputs) output.text = printable(output.text);
    return whole;
  } else {
    return fail(Errc::invalid_data, "a frame of an unexpected type");
  }
  return std::nullopt;
}

}  // namespace vmcred::link
