// What is wrong with a declaration: a kind that programs can branch on, a place, a sentence, a remedy.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::declare {

enum class Fault : std::uint8_t {
  syntax,  ///< no TOML, no JSON, a duplicate key
  unknown_key,
  wrong_type,
  bad_value,  ///< right type, but not one of the values it may have
  missing_key,
  bad_name,
  reserved_name,
  collision,          ///< two credentials of one vm with the same name
  unknown_reference,  ///< a machine, vm, generator, file or dependency that is not declared
  secret_in_static,   ///< a static value that looks like a secret
  not_loaded,         ///< credential-files names what load-credential does not load
};

struct Problem {
  Fault fault = Fault::bad_value;
  Place place = {};
  std::string message;
  std::string hint = {};
};

/// "vmcred.toml:3:1", "vmcred.json#/vms/test-vm", or the file alone.
std::string where(const Place& place);

/// One error of all problems: a single one as "PLACE: MESSAGE" with its hint, several as a list, one a line.
/// `problems` must not be empty.
Error to_error(const std::vector<Problem>& problems);

}  // namespace vmcred::declare
