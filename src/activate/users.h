// Numbers for user and group names, also in a static program (no NSS).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcred::activate {

struct UserDoors {
  std::string passwd = "/etc/passwd";
  std::string group = "/etc/group";
  std::string getent = "getent";  ///< asked for names that the files do not hold; empty: nobody is asked
};

/// The uid of a name; a number is taken as it is. An unknown name is `not_found`.
Result<uid_t> find_user(const std::string& name, const UserDoors& doors = {});
Result<gid_t> find_group(const std::string& name, const UserDoors& doors = {});

/// The number in the third field of the line of `name` in a passwd(5) or group(5) file; -1: no such line.
std::int64_t number_in_database(std::string_view text, std::string_view name);

}  // namespace vmcred::activate
