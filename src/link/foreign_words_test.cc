// Whatever a guest writes into a field of the protocol that is text: it stays in its line, and steers no terminal.
#include <algorithm>

#include "link/report_wire.h"
#include "matchers.h"

namespace vmcred::link {
namespace {

using testing::Succeeds;

const std::vector<std::string> kHostile = {"252\n  proof: every credential arrived byte for byte",
                                           "a\r\nb\tc",
                                           "\x1b[2J\x1b]0;x\a",
                                           "\u202egpj\u2066",
                                           "a\u2028b\u0085c",
                                           std::string("a\0b", 3),
                                           "\xff\xfe\x80",
                                           "\x7f"};

std::string text_field(std::string_view text) {
  FieldWriter out;
  out.text(text);
  return out.bytes();
}
std::string joined(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

/// The report of a guest that sends these frames between a beginning and an end of its own.
Result<Report> read(std::string_view version, const std::vector<std::pair<Type, std::string>>& frames) {
  ReportReader reader;
  FieldWriter begin;
  begin.integer(1, 8);
  begin.text(version);
  TRY(reader.take(Type::report_begin, bytes_of(begin.bytes())));
  for (const auto& [type, payload] : frames) TRY(reader.take(type, bytes_of(payload)));
  TRY_LET(auto whole, reader.take(Type::report_end, {}));
  return *std::move(whole);
}

bool in_one_line(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }) &&
         !text.contains("\u202e") && !text.contains("\u2066") && !text.contains("\u2028") && !text.contains("\u0085") &&
         !text.contains("\xff");
}

TEST(ForeignWords, StayInTheirLineInEveryFieldOfAReport) {
  for (const std::string& hostile : kHostile) {
    const auto report =
        read(hostile, {{Type::report_consumer,
                        joined({text_field("A"), text_field("a"), text_field("a.service"), text_field(hostile)})},
                       {Type::report_output, joined({text_field("a.service"), hostile})},
                       {Type::report_notice, hostile}});
    ASSERT_THAT(report, Succeeds());
    EXPECT_TRUE(in_one_line(report->systemd_version)) << report->systemd_version;
    EXPECT_TRUE(in_one_line(report->consumers.at(0).state)) << report->consumers.at(0).state;
    EXPECT_TRUE(in_one_line(report->notices.at(0))) << report->notices.at(0);
    // An output has lines, and nothing else of the kind.
    std::string output = report->outputs.at(0).text;
    std::erase_if(output, [](char c) { return c == '\n' || c == '\t'; });
    EXPECT_TRUE(in_one_line(output)) << output;
  }
}

TEST(ForeignWords, AreNoNames) {
  for (const std::string& hostile : kHostile) {
    const std::string name = text_field(hostile);
    const std::string good = text_field("a");
    FieldWriter copy;
    copy.u8(0);
    copy.integer(1, 8);
    copy.raw(Digest{});
    copy.text(hostile);
    for (const auto& [type, payload] :
         std::vector<std::pair<Type, std::string>>{{Type::report_copy, copy.bytes()},
                                                   {Type::report_consumer, joined({name, good, good, good})},
                                                   {Type::report_consumer, joined({good, name, good, good})},
                                                   {Type::report_consumer, joined({good, good, name, good})},
                                                   {Type::report_output, joined({name, "text"})}})
      EXPECT_FALSE(read("252", {{type, payload}})) << hostile;
  }
}

}  // namespace
}  // namespace vmcred::link
