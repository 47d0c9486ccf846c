// `receipt`: one contact with the host, which proves what arrived.
#include "arguments.h"
#include "commands.h"
#include "contact.h"
#include "options.h"
#include "port.h"
#include "report.h"

namespace vmcred::guest {
Result<int> receipt(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--output=", "--wait="};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const auto limit, read_seconds(arguments.value("--wait", "60")));
  ReportOptions options;
  TRY_LET(options.outputs, read_outputs(arguments));

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
