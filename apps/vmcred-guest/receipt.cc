// `receipt`: one contact with the host, which proves what arrived.
#include "arguments.h"
#include "commands.h"
#include "contact.h"
#include "options.h"
#include "reach.h"
#include "report.h"

namespace vmcred::guest {
Result<int> receipt(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--output=", "--wait="};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const auto limit, read_seconds(arguments.value("--wait", "60")));
  ReportOptions options;
  TRY_LET(options.outputs, read_outputs(arguments));

  TRY_LET(link::Address address, read_address());
  TRY_LET(const link::BootId boot, boot_id());
  const auto begin = [&] {
    return link::GuestSession({.key = address.token.clone(), .boot_id = boot, .randomness = &kernel_randomness()});
  };
  TRY_LET(Reached reached, reach_host(address, begin, limit));
  link::GuestSession& session = reached.session;
  std::optional<link::GuestEvent> event = std::move(reached.first);
  for (;; event.reset()) {
    if (!event) {
      TRY_LET(event, next_event(reached.port, session, limit));
    }
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
