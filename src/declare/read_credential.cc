// Credentials of a vm: short form and the four lists become the same structs, with every name derived here.
#include <algorithm>
#include <map>
#include <set>

#include "declare/credential_context.h"
#include "declare/keys.h"
#include "declare/names.h"

namespace vmcred::declare {
namespace {

bool loads_guest(const GuestService& service, std::string_view guest) {
  return std::ranges::any_of(service.load_credential, [&](const auto& line) { return line.second == guest; });
}

bool has_id(const GuestService& service, std::string_view id) {
  return std::ranges::any_of(service.load_credential, [&](const auto& line) { return line.first == id; });
}

void read_on_change(const CredentialContext& c, const Table& table, Credential& credential) {
  const auto text = table.text("on-change");
  if (!text) return;
  if (text->starts_with("signal:")) {
    std::string signal = text->substr(7);
    if (signal.starts_with("SIG")) signal.erase(0, 3);
    if (!signal.empty() && signal.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+") == std::string::npos) {
      credential.on_change = OnChange::signal;
      credential.on_change_signal = signal;
      return;
    }
  } else if (const auto choice = choice_of<OnChange>(*text); choice && *choice != OnChange::signal) {
    credential.on_change = *choice;
    return;
  }
  c.report.add(Fault::bad_value, table.place("on-change"),
               fmt::format("{}: 'on-change' cannot be '{}'", table.label(), *text),
               "it can be restart, reload, none, or signal:HUP");
}

void read_services(const CredentialContext& c, const Table& table, Credential& credential) {
  std::vector<Place> places;
  for (std::size_t i = 0; const std::string& given : table.texts("services", &places)) {
    const auto service = service_name(given);
    if (service) {
      credential.services.push_back(*service);
    } else {
      c.report.add(Fault::bad_name, places[i], fmt::format("{}: '{}' is not a service", table.label(), given));
    }
    ++i;
  }
}

void read_short(const CredentialContext& c, const Entry& member, const std::string& pointer) {
  const Table table(c.report, member, pointer, fmt::format("{}: credential '{}'", c.table.label(), member.key),
                    kCredentialKeys);
  Credential credential{.name = member.key, .host = {}, .guest = guest_name_of(member.key), .place = table.place()};
  const auto from = table.text("from");
  const auto value = table.text("value");
  credential.is_public = table.flag("public", false);
  credential.allow_empty = table.flag("allow-empty", false);
  if (const auto guest = table.text("guest")) credential.guest = *guest;
  read_services(c, table, credential);
  read_on_change(c, table, credential);
  if (from && value) {
    table.problem("value", Fault::bad_value, "'from' and 'value' exclude each other",
                  "'from' names a secret of the store, 'value' is static and not secret");
  } else if (!table.has("from") && !table.has("value")) {
    table.problem("from", Fault::missing_key, "it has neither 'from' nor 'value'",
                  "from = \"GENERATOR/FILE\" for a secret, value = \"...\" for what everybody may read");
  }
  if (from) {
    credential.host = host_name_of(member.key);
    if (credential.is_public) table.problem("public", Fault::bad_value, "'public' is for a static 'value'");
    const auto source = read_source(c, member.key, *from, table.place("from"));
    if (source) credential.from = *source;
    if (!source) credential.static_value = "";
  } else {
    credential.static_value = value.value_or("");
    check_static(c, credential);
  }
  check_names(c, credential);
  c.vm.credentials.push_back(std::move(credential));
}

void check_collisions(const CredentialContext& c) {
  std::map<std::string_view, const Credential*> by_guest;
  for (const Credential& credential : c.vm.credentials) {
    const auto [first, fresh] = by_guest.emplace(credential.guest, &credential);
    if (fresh) continue;
    const Credential& other = *first->second;
    const std::string at = other.place.line > 0 ? fmt::format(" in line {}", other.place.line) : "";
    c.add(Fault::collision, credential.place,
          fmt::format("credentials '{}' and '{}'{} are both called '{}' in the guest", credential.name, other.name, at,
                      credential.guest),
          "systemd would keep one and drop the other: give one of them another name with 'guest'");
  }
}

/// The services of the short form get `name:GUEST`, unless they load that guest name already; then each credential
/// knows all services that load it, in whatever form that was said.
void join_services(const CredentialContext& c) {
  for (const Credential& credential : c.vm.credentials) {
    for (const std::string& name : credential.services) {
      GuestService& service = c.vm.services[name];
      if (service.name.empty()) service.place = credential.place;
      service.name = name;
      if (loads_guest(service, credential.guest)) continue;
      if (has_id(service, credential.name)) {
        c.add(Fault::collision, credential.place,
              fmt::format("guest service '{}' loads something else as '{}'", name, credential.name));
        continue;
      }
      service.load_credential.emplace_back(credential.name, credential.guest);
      service.places.push_back(credential.place);
    }
  }
  for (Credential& credential : c.vm.credentials) {
    std::set<std::string> all(credential.services.begin(), credential.services.end());
    for (const auto& [name, service] : c.vm.services)
      if (loads_guest(service, credential.guest)) all.insert(name);
    credential.services.assign(all.begin(), all.end());
  }
}

}  // namespace

void read_credentials(const Table& table, const Table& guest, const Declaration& declaration, Vm& vm) {
  const CredentialContext c{table, declaration, vm, table.report()};
  table.each("credentials", [&](const Entry& member, const std::string& pointer) { read_short(c, member, pointer); });
  read_long_form(c);
  guest.each("services",
             [&](const Entry& member, const std::string& pointer) { read_guest_service(c, member, pointer); });
  std::ranges::stable_sort(vm.credentials, {},
                           [](const Credential& each) { return std::pair(each.place.line, each.place.column); });
  check_collisions(c);
  std::ranges::stable_sort(vm.credentials, {}, &Credential::guest);
  join_services(c);
}

}  // namespace vmcred::declare
