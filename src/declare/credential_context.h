// What the readers of a vm's credentials share: sources and names are the same in the short form and in the lists.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "declare/read.h"

namespace vmcred::declare {

using Source = std::variant<VarRef, std::string, std::nullptr_t>;

inline constexpr std::string_view kNameRule = "1 to 255 printable characters without '/', ':' and '='";

/// The vm whose credentials are being read.
struct CredentialContext {
  const Table& table;
  const Declaration& declaration;
  Vm& vm;
  Report& report;

  /// A problem of this vm.
  void add(Fault fault, Place place, const std::string& message, std::string hint = {}) const {
    report.add(fault, std::move(place), fmt::format("{}: {}", table.label(), message), std::move(hint));
  }
};

/// "GENERATOR/FILE" or an absolute path; reports and gives nothing for anything else. A path below the activated vars
/// that is one of this vm's is that var.
std::optional<Source> read_source(const CredentialContext& c, const std::string& credential, const std::string& text,
                                  const Place& place);

void check_names(const CredentialContext& c, const Credential& credential);
/// A static value that looks like a secret is refused, unless it says that it is public.
void check_static(const CredentialContext& c, const Credential& credential);

/// The guide's lists load-credential, credential-files and oem-strings.
void read_long_form(const CredentialContext& c);
/// One of guest.services.
void read_guest_service(const CredentialContext& c, const Entry& member, const std::string& pointer);

}  // namespace vmcred::declare
