#include "supervise/refresh.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/file.h"

namespace vmcred::supervise {
namespace {

// The file: for each value one byte with the length of its host name, the name, four bytes little-endian with the
// length of the value, the value.
constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kMaxHostName = 255;
constexpr std::size_t kMaxFile = 2 * kMaxCredential;

const declare::Credential* find_secret(const declare::Vm& vm, std::string_view host) {
  const auto found = std::ranges::find_if(vm.credentials, [&](const declare::Credential& credential) {
    return !credential.static_value && credential.host == host;
  });
  return found == vm.credentials.end() ? nullptr : &*found;
}

Failure malformed() { return fail(Errc::invalid_data, "the new values are malformed"); }

link::Action action_of(declare::OnChange change) {
  switch (change) {
    case declare::OnChange::restart:
      return link::Action::restart;
    case declare::OnChange::reload:
      return link::Action::reload;
    case declare::OnChange::signal:
      return link::Action::signal;
    case declare::OnChange::none:
      return link::Action::none;
  }
  return link::Action::none;
}

/// Adds what `credential`'s services need; link::Action counts up from the strongest.
void add_actions(const declare::Vm& vm, const declare::Credential& credential,
                 std::map<std::string, link::UnitAction>& actions) {
  for (const auto& [name, service] : vm.services) {
    const bool loads =
        std::ranges::any_of(service.load_credential, [&](const auto& pair) { return pair.second == credential.guest; });
    const std::string unit = name.ends_with(".service") ? name : name + ".service";
    const link::Action action = action_of(credential.on_change);
    if (!loads || action == link::Action::none) continue;
    const auto found = actions.find(unit);
    if (found != actions.end() && found->second.action <= action) continue;
    actions.insert_or_assign(unit,
                             link::UnitAction{.unit = unit,
                                              .action = action,
                                              .signal = credential.on_change_signal,
                                              .health_seconds = static_cast<std::uint16_t>(service.health.count()),
                                              .health_command = service.health_command});
  }
}

}  // namespace

Result<link::Set> expected_set(const declare::Vm& vm, const Secrets& secrets, std::uint64_t generation) {
  link::Set set = {.generation = generation};
  for (const declare::Credential& credential : vm.credentials) {
    if (credential.static_value) {
      set.values.emplace(credential.guest, Secret::copy_of(*credential.static_value));
      continue;
    }
    const auto found = secrets.find(credential.host);
    if (found == secrets.end()) return fail(Errc::not_found, "no value of the credential '{}'", credential.host);
    set.values.emplace(credential.guest, found->second.clone());
  }
  return set;
}

Result<Fd> pack_values(const Secrets& values) {
  std::size_t size = 0;
  for (const auto& [host, value] : values) {
    if (host.empty() || host.size() > kMaxHostName) return fail(Errc::usage, "'{}' is no credential name", host);
    size += 1 + host.size() + kLengthSize + value.size();
  }
  if (size > kMaxFile) return fail(Errc::usage, "{} bytes of new values, at most {} go at once", size, kMaxFile);
  Secret content(size);
  auto at = content.writable().begin();
  for (const auto& [host, value] : values) {
    *at++ = static_cast<std::uint8_t>(host.size());
    at = std::ranges::copy(bytes_of(host), at).out;
    for (std::size_t i = 0; i < kLengthSize; ++i) *at++ = static_cast<std::uint8_t>(value.size() >> (8 * i));
    at = std::ranges::copy(value.bytes(), at).out;
  }
  TRY_LET(Fd file, make_memfd("values"));
  TRY(write_all(file, content.text()));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("rewind the new values");
  return file;
}

Result<NewValues> unpack_values(const declare::Vm& vm, const Fd& file) {
  if (!file) return fail(Errc::usage, "the request holds no values");
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return malformed();
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("rewind the new values");
  TRY_LET(const Secret content, read_secret(file, "the new values", kMaxFile));
  if (::ftruncate(file.get(), 0) != 0) return fail_errno("wipe the new values");
  NewValues fresh;
  std::set<std::string> seen;
  Bytes rest = content.bytes();
  const auto take = [&rest](std::size_t size) -> Result<Bytes> {
    if (size > rest.size()) return malformed();
    const Bytes bytes = rest.first(size);
    rest = rest.subspan(size);
    return bytes;
  };
  while (!rest.empty()) {
    TRY_LET(const Bytes name_size, take(1));
    TRY_LET(const Bytes name, take(name_size.front()));
    TRY_LET(const Bytes size_bytes, take(kLengthSize));
    std::size_t size = 0;
    for (std::size_t i = 0; i < kLengthSize; ++i) size |= std::size_t{size_bytes[i]} << (8 * i);
    TRY_LET(const Bytes value, take(size));
    const std::string host(text_of(name));
    const declare::Credential* const credential = find_secret(vm, host);
    if (!seen.insert(host).second) return malformed();
    if (credential == nullptr) {
      fresh.undeclared.push_back(host);
      continue;
    }
    if (value.empty() && !credential->allow_empty)
      return fail(Errc::invalid_data, "the new value of '{}' is empty", host);
    fresh.values.emplace(host, Secret::copy_of(value));
  }
  if (seen.empty()) return fail(Errc::usage, "the request holds no values");
  return fresh;
}

Result<link::Set> refreshed_set(const declare::Vm& vm, const Secrets& secrets, const Secrets& values,
                                std::uint64_t generation) {
  Secrets merged;
  for (const auto& [host, value] : secrets) {
    const auto found = values.find(host);
    merged.emplace(host, (found == values.end() ? value : found->second).clone());
  }
  TRY_LET(link::Set set, expected_set(vm, merged, generation));
  std::map<std::string, link::UnitAction> actions;
  for (const declare::Credential& credential : vm.credentials) {
    const auto fresh = credential.static_value ? values.end() : values.find(credential.host);
    if (fresh == values.end()) continue;
    const auto old = secrets.find(credential.host);
    const bool same = old != secrets.end() && equal_in_constant_time(old->second.bytes(), fresh->second.bytes());
    if (!same) add_actions(vm, credential, actions);
  }
  for (auto& [unit, action] : actions) set.actions.push_back(std::move(action));
  return set;
}

std::vector<std::string> outdated(const Secrets& held, const Secrets& values) {
  std::vector<std::string> names;
  for (const auto& [host, value] : values) {
    const auto old = held.find(host);
    if (old == held.end() || !equal_in_constant_time(old->second.bytes(), value.bytes())) names.push_back(host);
  }
  std::ranges::sort(names);
  return names;
}

Json refresh_details(const Secrets& held, const NewValues& fresh, const std::vector<link::UnitAction>& actions) {
  const std::vector<std::string> changed = outdated(held, fresh.values);
  std::map<std::string, std::string_view> states;
  for (const auto& [host, value] : fresh.values) {
    states[host] = std::ranges::binary_search(changed, host) ? "refreshed" : "unchanged";
  }
  for (const std::string& host : fresh.undeclared) states[host] = "needs a restart";
  Json credentials = Json::array();
  for (const auto& [host, state] : states) credentials.push(Json::object().set("host", host).set("state", state));
  Json services = Json::array();
  constexpr std::array<std::string_view, 4> kActions = {"restart", "reload", "signal", "none"};
  for (const link::UnitAction& each : actions) {
    services.push(
        Json::object().set("unit", each.unit).set("action", kActions.at(static_cast<std::size_t>(each.action))));
  }
  return Json::object().set("credentials", std::move(credentials)).set("services", std::move(services));
}

}  // namespace vmcred::supervise
