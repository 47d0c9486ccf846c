// From the neutral tree to the model: the steps of the one reader, in their order.
#pragma once

#include <string>

#include "declare/model.h"
#include "declare/reader.h"

namespace vmcred::declare {

/// The whole declaration: machines, then generators, then vms, then what refers from one to another.
Declaration read_tree(const Node& root, const std::string& file, const std::string& folder, Report& report);

/// One generator; who has it is settled against the machines of `declaration`, its dependencies are not looked at.
Generator read_generator(const Entry& member, const std::string& pointer, const Declaration& declaration,
                         Report& report);

/// After all generators are read: dependencies exist.
void check_dependencies(const Declaration& declaration, Report& report);

/// One vm with its credentials; machines and generators of `declaration` are complete.
Vm read_vm(const Entry& member, const std::string& pointer, const Declaration& declaration, Report& report);

/// The credentials and guest services of a vm, from the short form and the four lists alike: names derived, sources
/// resolved, collisions reported; `vm` holds its name and machine.
void read_credentials(const Table& table, const Table& guest, const Declaration& declaration, Vm& vm);

/// A unit's name without ".service"; nothing when it cannot be a service.
std::optional<std::string> service_name(std::string_view text);

}  // namespace vmcred::declare
