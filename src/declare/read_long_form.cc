// The guide's four lists.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/base64.h"
#include "declare/credential_context.h"
#include "declare/keys.h"
#include "declare/names.h"
#include "declare/values.h"
#include "shape/secret_shape.h"

namespace vmcred::declare {
namespace {

constexpr std::string_view kTextForm = "io.systemd.credential:";
constexpr std::string_view kBinaryForm = "io.systemd.credential.binary:";

struct Loaded {
  std::string source;
  Place place;
};

std::map<std::string, Loaded> read_load_credential(const CredentialContext& c) {
  std::map<std::string, Loaded> loaded;
  std::vector<Place> places;
  for (std::size_t i = 0; const std::string& entry : c.table.texts("load-credential", &places)) {
    const Place& place = places[i++];
    const std::size_t colon = entry.find(':');
    const std::string name = entry.substr(0, colon);
    if (colon == std::string::npos) {
      c.add(Fault::bad_value, place, fmt::format("load-credential: '{}' has no source", entry),
            "write NAME:GENERATOR/FILE or NAME:/absolute/path");
      continue;
    }
    if (!valid_credential_name(name)) {
      c.add(Fault::bad_name, place, fmt::format("load-credential: '{}' cannot be the name of a credential", name),
            std::string(kNameRule));
      continue;
    }
    if (!loaded.emplace(name, Loaded{entry.substr(colon + 1), place}).second) {
      c.add(Fault::collision, place, fmt::format("load-credential: '{}' is loaded twice", name),
            "systemd takes the last one");
      continue;
    }
    c.vm.long_form.load_credential.emplace_back(name, entry.substr(colon + 1));
    c.vm.long_form.places.push_back(place);
  }
  return loaded;
}

void read_credential_files(const CredentialContext& c, const std::map<std::string, Loaded>& loaded) {
  std::vector<std::string_view> names;
  for (const auto& [name, entry] : loaded) names.push_back(name);
  std::set<std::string_view> injected;
  LongForm& lists = c.vm.long_form;
  lists.credential_files = c.table.texts("credential-files", &lists.credential_files_places);
  for (std::size_t i = 0; i < lists.credential_files.size(); ++i) {
    const std::string& host = lists.credential_files[i];
    const Place& place = lists.credential_files_places[i];
    if (!injected.insert(host).second) {
      c.add(Fault::collision, place, fmt::format("credential-files: '{}' is named twice", host));
      continue;
    }
    Credential credential{.name = short_name_of(host), .host = host, .guest = guest_name_of(host), .place = place};
    check_names(c, credential);
    const auto found = loaded.find(host);
    if (found == loaded.end()) {
      c.add(Fault::not_loaded, place, fmt::format("credential-files: '{}' is not in load-credential", host),
            names.empty() ? fmt::format("add \"{}:GENERATOR/FILE\" to load-credential", host)
                          : hint_for(host, names, "load-credential has"));
      credential.static_value = "";
    } else if (auto source = read_source(c, host, found->second.source, found->second.place)) {
      credential.from = *std::move(source);
    } else {
      credential.static_value = "";
    }
    c.vm.credentials.push_back(std::move(credential));
  }
  for (const auto& [host, entry] : loaded)  // not injected: `check` speaks of it, but a wrong source is wrong anyway
    if (!injected.contains(host)) (void)read_source(c, host, entry.source, entry.place);
}

/// An OEM string of the user's own; one that systemd would look at and drop is a slip of the pen.
void read_other_oem_string(const CredentialContext& c, std::string_view entry, const Place& place) {
  const std::string_view name = entry.substr(0, entry.find('='));
  if (entry.starts_with("io.systemd.cred")) {
    c.add(Fault::bad_value, place, fmt::format("oem-strings: systemd ignores '{}'", name),
          "write io.systemd.credential:NAME=VALUE");
  } else if (const auto what = shape::looks_like_secret(entry)) {
    c.add(Fault::secret_in_static, place, fmt::format("oem-strings: an entry looks like a secret: {}", *what),
          "make it a credential: from = \"GENERATOR/FILE\"");
  }
}

void read_oem_strings(const CredentialContext& c) {
  LongForm& lists = c.vm.long_form;
  lists.oem_strings = c.table.texts("oem-strings", &lists.oem_strings_places);
  for (std::size_t i = 0; i < lists.oem_strings.size(); ++i) {
    const std::string_view entry = lists.oem_strings[i];
    const Place& place = lists.oem_strings_places[i];
    const bool binary = entry.starts_with(kBinaryForm);
    if (!binary && !entry.starts_with(kTextForm)) {
      read_other_oem_string(c, entry, place);
      continue;
    }
    const std::string_view rest = entry.substr(binary ? kBinaryForm.size() : kTextForm.size());
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
      c.add(Fault::bad_value, place, "oem-strings: an entry has no '='", "write io.systemd.credential:NAME=VALUE");
      continue;
    }
    Credential credential{.name = short_name_of_guest(rest.substr(0, equals)),
                          .host = {},
                          .guest = std::string(rest.substr(0, equals)),
                          .static_value = std::string(rest.substr(equals + 1)),
                          .place = place};
    if (binary) {
      auto decoded = base64_decode(*credential.static_value);
      if (!decoded) {
        c.add(Fault::bad_value, place, fmt::format("oem-strings: the value of '{}' is not base64", credential.guest));
        continue;
      }
      credential.static_value = *std::move(decoded);
    }
    check_names(c, credential);
    check_static(c, credential);
    c.vm.credentials.push_back(std::move(credential));
  }
}

void read_health(const Table& table, GuestService& service) {
  constexpr std::chrono::seconds kMost{600};
  constexpr std::size_t kMostWords = 12;  // with kMostLetters: what fits into one frame of the link
  constexpr std::size_t kMostLetters = 255;
  if (const auto text = table.text("health")) {
    const auto given = parse_seconds(*text);
    if (given && *given <= kMost) {
      service.health = *given;
    } else {
      table.problem("health", Fault::bad_value, fmt::format("'health' cannot be '{}'", *text),
                    "write a time up to 600s, such as \"5s\"");
    }
  }
  service.health_command = table.texts("health-command");
  const bool empty = table.has("health-command") && service.health_command.empty();
  const bool odd = std::ranges::any_of(service.health_command, [](const std::string& word) {
    return word.empty() || word.size() > kMostLetters ||
           std::ranges::any_of(word, [](char x) { return x < 0x20 || x > 0x7e; });
  });
  const bool relative = !service.health_command.empty() && !service.health_command.front().starts_with('/');
  if (empty || odd || relative || service.health_command.size() > kMostWords) {
    table.problem("health-command", Fault::bad_value, "'health-command' is no command of the guest",
                  "write an absolute path and its arguments: [\"/usr/bin/web-check\", \"--quick\"]");
    service.health_command.clear();
  }
}

}  // namespace

void read_long_form(const CredentialContext& c) {
  const auto loaded = read_load_credential(c);
  read_credential_files(c, loaded);
  read_oem_strings(c);
  c.vm.long_form.used = c.table.has("load-credential") || c.table.has("credential-files") || c.table.has("oem-strings");
}

void read_guest_service(const CredentialContext& c, const Entry& member, const std::string& pointer) {
  const Table table(c.report, member, pointer, fmt::format("{}: guest service '{}'", c.table.label(), member.key),
                    kServiceKeys);
  const auto name = service_name(member.key);
  if (!name)
    return c.report.add(Fault::bad_name, table.place(), fmt::format("{}: this is not a service", table.label()));
  GuestService& service = c.vm.services[*name];
  service.name = *name;
  service.place = table.place();
  std::vector<Place> places;
  std::set<std::string> ids;
  for (std::size_t i = 0; const std::string& entry : table.texts("load-credential", &places)) {
    const Place& place = places[i++];
    const std::size_t colon = entry.find(':');  // systemd: the first ':' splits
    const std::string id = entry.substr(0, colon);
    const std::string source = colon == std::string::npos ? id : entry.substr(colon + 1);
    const bool path = source.starts_with('/') && plain_text(source);
    if (!valid_credential_name(id) || (!path && !valid_credential_name(source))) {
      c.report.add(Fault::bad_value, place, fmt::format("{}: load-credential cannot be '{}'", table.label(), entry),
                   "write NAME:GUEST_NAME, such as \"api-key:API_KEY\"");
    } else if (!ids.insert(id).second) {
      c.report.add(Fault::collision, place, fmt::format("{}: load-credential has '{}' twice", table.label(), id),
                   "systemd takes the last one");
    } else {
      service.load_credential.emplace_back(id, source);
      service.places.push_back(place);
    }
  }
  read_health(table, service);
}

std::optional<std::string> service_name(std::string_view text) {
  constexpr std::size_t kMaxUnitName = 255;
  constexpr std::array<std::string_view, 9> kOther{".socket", ".target", ".timer", ".mount", ".path",
                                                   ".slice",  ".scope",  ".swap",  ".device"};
  if (text.ends_with(".service")) text.remove_suffix(std::string_view(".service").size());
  if (text.empty() || text.size() + 8 > kMaxUnitName) return {};
  if (std::ranges::any_of(kOther, [&](std::string_view suffix) { return text.ends_with(suffix); })) return {};
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
  if (text.find_first_not_of(kLetters) != std::string_view::npos) return {};
  return std::string(text);
}

}  // namespace vmcred::declare
