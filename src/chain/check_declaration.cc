// Findings that need the declaration alone.
#include <algorithm>
#include <map>
#include <set>

#include "base/spelling.h"
#include "chain/check.h"
#include "declare/names.h"
#include "declare/values.h"

namespace vmcred::chain {
namespace {

using declare::Fault;
using declare::Vm;

Code code_of(Fault fault) {
  switch (fault) {
    case Fault::bad_name:
      return Code::bad_name;
    case Fault::reserved_name:
      return Code::reserved_name;
    case Fault::collision:
      return Code::collision;
    case Fault::unknown_reference:
      return Code::unknown_reference;
    case Fault::secret_in_static:
      return Code::secret_in_static;
    case Fault::not_loaded:
      return Code::not_loaded;
    case Fault::syntax:
    case Fault::unknown_key:
    case Fault::wrong_type:
    case Fault::bad_value:
    case Fault::missing_key:
      break;
  }
  return Code::invalid_declaration;
}

bool same_place(const declare::Place& a, const declare::Place& b) {
  return a.line == b.line && a.column == b.column && a.pointer == b.pointer;
}

std::vector<std::string> loaded_names(const Vm& vm) {
  std::vector<std::string> names;
  for (const auto& [name, source] : vm.long_form.load_credential) names.push_back(name);
  return names;
}

bool has(const std::vector<std::string>& all, std::string_view one) { return std::ranges::find(all, one) != all.end(); }

/// The name in load-credential that an entry of credential-files probably means; "" when none is near.
std::string meant(const Vm& vm, const std::string& host) {
  const std::vector<std::string> names = loaded_names(vm);
  const std::string with_prefix = declare::host_name_of(host);
  if (has(names, with_prefix)) return with_prefix;
  const std::string without = declare::short_name_of(host);
  if (without != host && has(names, without)) return without;
  return nearest_word(host, names);
}

// Pitfall 1: the two lists of the host differ.
void check_lists(const Vm& vm, std::vector<Finding>& findings) {
  const auto& lists = vm.long_form;
  std::set<std::string> explained;
  for (std::size_t i = 0; i < lists.credential_files.size(); ++i) {
    const std::string& host = lists.credential_files[i];
    if (has(loaded_names(vm), host)) continue;
    const std::string right = meant(vm, host);
    if (right.empty()) continue;
    explained.insert(right);
    for (Finding& each : findings) {
      if (each.code != Code::not_loaded || !same_place(each.place, lists.credential_files_places[i])) continue;
      each.hint = fmt::format("did you mean '{}'? the two lists must agree letter by letter", right);
      const bool prefix_alone =
          declare::host_name_of(right) == host;  // then the other list is mended, by its own finding
      if (!prefix_alone && !has(lists.credential_files, right))
        each.edits.push_back({lists.credential_files_places[i], host, right});
    }
  }
  for (std::size_t i = 0; i < lists.load_credential.size(); ++i) {
    const std::string& host = lists.load_credential[i].first;
    if (has(lists.credential_files, host) || explained.contains(host)) continue;
    findings.push_back(finding(Code::not_injected, lists.places[i],
                               fmt::format("vm '{}': '{}' is loaded on the host and never injected", vm.name, host),
                               fmt::format("add \"{}\" to credential-files, or remove the line", host)));
  }
}

// Pitfall 2: host and guest credentials are told apart by the prefix.
void check_prefixes(const Vm& vm, std::vector<Finding>& findings) {
  const auto& lists = vm.long_form;
  for (std::size_t i = 0; i < lists.load_credential.size(); ++i) {
    const auto& [host, source] = lists.load_credential[i];
    if (host.starts_with(declare::kHostPrefix)) continue;
    const std::string right = declare::host_name_of(host);
    Finding each = finding(
        Code::no_host_prefix, lists.places[i],
        fmt::format("vm '{}': the host credential '{}' has no prefix '{}'", vm.name, host, declare::kHostPrefix),
        fmt::format("call it '{}' in load-credential and credential-files", right));
    each.edits.push_back({lists.places[i], host + ":" + source, right + ":" + source});
    for (std::size_t k = 0; k < lists.credential_files.size(); ++k)
      if (lists.credential_files[k] == host) each.edits.push_back({lists.credential_files_places[k], host, right});
    findings.push_back(std::move(each));
  }
}

/// The guest name that a line of a guest service probably means; "" when none is near.
std::string meant_in_guest(const std::vector<std::string>& guests, const std::string& id, const std::string& source) {
  for (const std::string& candidate :
       {declare::guest_name_of(source), declare::guest_name_of(declare::short_name_of_guest(source)),
        declare::guest_name_of(id)})
    if (has(guests, candidate)) return candidate;
  return nearest_word(source, guests);
}

// Pitfall 3: a guest service asks for a name that never arrives; systemd starts it without a word.
void check_guest_services(const Vm& vm, std::vector<Finding>& findings) {
  std::vector<std::string> guests;
  for (const declare::Credential& credential : vm.credentials) guests.push_back(credential.guest);
  for (const auto& [name, service] : vm.services) {
    for (std::size_t i = 0; i < service.load_credential.size(); ++i) {
      const auto& [id, source] = service.load_credential[i];
      if (source.starts_with('/') || has(guests, source) || declare::reserved_credential_name(source)) continue;
      const std::string right = meant_in_guest(guests, id, source);
      Finding each = finding(
          Code::wrong_guest_name, service.places[i],
          fmt::format("vm '{}': guest service '{}' loads '{}', which the vm does not receive", vm.name, name, source),
          right.empty() ? fmt::format("declare a credential with the guest name '{}'", source)
                        : fmt::format("did you mean '{}'? the line is NAME:GUEST_NAME: \"{}:{}\"", right, id, right));
      if (!right.empty()) each.edits.push_back({service.places[i], id + ":" + source, id + ":" + right});
      findings.push_back(std::move(each));
    }
  }
}

// Pitfall 5: what is wrong with a mode is that others read the file, not that systemd cannot.
void check_modes(const declare::Generator& generator, std::vector<Finding>& findings) {
  for (const auto& [name, file] : generator.files) {
    const bool others = (file.mode & 0007U) != 0;
    const bool owner = (file.mode & 0400U) != 0;
    if (!file.secret || (!others && owner)) continue;
    const declare::Place& place = file.mode_place.file.empty() ? file.place : file.mode_place;
    Finding each = finding(
        Code::open_mode, place,
        fmt::format("generator '{}': file '{}': mode {} {}", generator.name, name, declare::format_mode(file.mode),
                    others ? "lets everybody on the machine at a secret" : "keeps its owner out"),
        "mode = \"0400\"");
    if (!file.mode_place.file.empty()) each.edits.push_back({place, declare::format_mode(file.mode), "0400"});
    findings.push_back(std::move(each));
  }
}

// The guide's advice: a generator is called after its vm.
void check_generator_names(const declare::Declaration& declaration, std::vector<Finding>& findings) {
  std::map<std::string, std::set<std::string>> users;
  for (const auto& [name, vm] : declaration.vms)
    for (const declare::Credential& credential : vm.credentials)
      if (const auto* ref = std::get_if<declare::VarRef>(&credential.from)) users[ref->generator].insert(name);
  for (const auto& [name, vms] : users) {
    const auto generator = declaration.generators.find(name);
    if (vms.size() != 1 || generator == declaration.generators.end() || name.find(*vms.begin()) != std::string::npos)
      continue;
    if (generator->second.sharing == declare::Sharing::per_vm) continue;
    findings.push_back(
        finding(Code::generator_name, generator->second.place,
                fmt::format("generator '{}' serves vm '{}' alone and does not bear its name", name, *vms.begin()),
                fmt::format("a name such as '{}-secrets' tells readers where it belongs", *vms.begin())));
  }
}

// Well-known credentials (those with a dot) are read by systemd itself.
void check_consumers(const Vm& vm, std::vector<Finding>& findings) {
  for (const declare::Credential& credential : vm.credentials) {
    if (!credential.services.empty() || credential.guest.find('.') != std::string::npos) continue;
    findings.push_back(finding(Code::unconsumed, credential.place,
                               fmt::format("vm '{}': no guest service loads '{}'", vm.name, credential.guest),
                               "name its services, so that they are restarted when it changes"));
  }
}

// /proc/cmdline is readable by every process of the guest.
void check_kernel_command_line(const Vm& vm, std::vector<Finding>& findings) {
  if (vm.command_line.find("systemd.set_credential") == std::string::npos) return;
  findings.push_back(finding(Code::on_kernel_command_line, vm.place,
                             fmt::format("vm '{}': the kernel's command line sets a credential", vm.name),
                             "declare it under credentials: everybody in the guest reads /proc/cmdline"));
}

// Everybody on the host reads the VMM's command line.
void check_extra_arguments(const Vm& vm, std::vector<Finding>& findings) {
  if (vm.extra_arguments.empty()) return;
  const auto program = [&]() -> std::string {
    switch (vm.hypervisor) {
      case declare::Hypervisor::qemu:
        break;
      case declare::Hypervisor::cloud_hypervisor:
        return "cloud-hypervisor";
      case declare::Hypervisor::crosvm:
        return "crosvm";
      case declare::Hypervisor::firecracker:
        return "firecracker";
      case declare::Hypervisor::kvmtool:
        return "lkvm";
    }
    return "qemu-system-x86_64";
  };
  std::vector<std::string> words = {program()};
  words.insert(words.end(), vm.extra_arguments.begin(), vm.extra_arguments.end());
  for (Finding& each : check_command_line(words, vm.place.file, vm.guest.systemd,
                                          std::vector<declare::Place>(words.size(), vm.place))) {
    if (each.code != Code::secret_on_command_line) continue;
    each.message = fmt::format("vm '{}': extra-arguments: {}", vm.name, each.message);
    findings.push_back(std::move(each));
  }
}

}  // namespace

std::vector<Finding> check_declaration(const declare::Reading& reading) {
  std::vector<Finding> findings;
  for (const declare::Problem& problem : reading.problems)
    findings.push_back(finding(code_of(problem.fault), problem.place, problem.message, problem.hint));
  for (const auto& [name, vm] : reading.declaration.vms) {
    check_lists(vm, findings);
    check_prefixes(vm, findings);
    check_guest_services(vm, findings);
    check_kernel_command_line(vm, findings);
    check_extra_arguments(vm, findings);
    if (reading.problems.empty()) check_consumers(vm, findings);
  }
  for (const auto& [name, generator] : reading.declaration.generators) check_modes(generator, findings);
  check_generator_names(reading.declaration, findings);
  return findings;
}

}  // namespace vmcred::chain
