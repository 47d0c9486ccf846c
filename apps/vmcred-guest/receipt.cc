// `receipt`: one contact with the host, which proves what arrived.
#include <charconv>

#include "arguments.h"
#include "commands.h"
#include "contact.h"
#include "port.h"
#include "report.h"

namespace vmcred::guest {
namespace {

using std::chrono::milliseconds;

Result<milliseconds> seconds(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > 3600) {
    return fail(Errc::usage, "'{}' is no number of seconds from 1 to 3600", text);
  }
  return milliseconds(1000L * value);
}

Result<std::vector<std::pair<std::string, std::string>>> outputs(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto given = arguments.options.find("--output");
  if (given == arguments.options.end()) return pairs;
  for (const std::string& one : given->second) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0) return fail(Errc::usage, "'{}' is not UNIT=FILE", one);
    pairs.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  return pairs;
}

}  // namespace

Result<int> receipt(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--output=", "--wait="};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const milliseconds limit, seconds(arguments.value("--wait", "60")));
  ReportOptions options;
  TRY_LET(options.outputs, outputs(arguments));

  TRY_LET(link::Address address, read_address());
  TRY_LET(const Fd port, open_port(address, limit));
  TRY_LET(const link::BootId boot, boot_id());
  link::GuestSession session({.key = std::move(address.token), .boot_id = boot, .randomness = &kernel_randomness()});
  for (;;) {
    TRY_LET(auto event, next_event(port, session, limit));
    if (const auto* refused = std::get_if<link::Refused>(&*event)) {
      return fail(Errc::denied, "the host refused us: {}", refused->reason);
    }
    if (const auto* welcomed = std::get_if<link::Welcomed>(&*event)) {
      options.generation = welcomed->generation;
      TRY(session.report(make_report(session.receipt_key(), options)));
    } else if (const auto* confirmed = std::get_if<link::Confirmed>(&*event)) {
      note(confirmed->complete ? "vmcred-guest: the host has its receipt: everything arrived"
                               : "vmcred-guest: the host has its receipt: not everything arrived");
      return confirmed->complete ? 0 : 1;
    }
  }
}

}  // namespace vmcred::guest
