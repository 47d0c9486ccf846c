// Which files make up which unit: the fragment and the drop-ins that systemd reads, in its order (systemd.unit(5);
// src/shared/unit-file.c, src/basic/unit-name.c).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vmcred::unitfile {

/// A folder of units and what is in it.
struct Folder {
  std::string path;
  std::vector<std::string> files = {};                                         ///< "web.service"
  std::map<std::string, std::vector<std::string>, std::less<>> drop_ins = {};  ///< "web.service.d" -> "x.conf", …
};

struct UnitFiles {
  std::string name;
  std::string fragment = {};               ///< a path; "" where there are drop-ins alone
  std::vector<std::string> drop_ins = {};  ///< paths, in the order in which they count
};

/// All units of the type `suffix` (".service") in `folders`, the strongest first, by name: those with a file, and those
/// that have drop-ins of their own. `aliases`: another name -> the unit that it means. Templates are units as well.
std::vector<UnitFiles> units_of(const std::vector<Folder>& folders, std::string_view suffix,
                                const std::map<std::string, std::string>& aliases = {});

/// The folders of drop-ins that belong to a unit, the most specific first: of "a-b@c.service" these are
/// "a-b@c.service.d", "a-b@.service.d", "a-@c.service.d", …, "service.d".
std::vector<std::string> drop_in_folders(std::string_view unit);

/// "web@.service" of the instance "web@1.service"; "" of what is none.
std::string template_of(std::string_view unit);

/// Where units stand below a root folder, the strongest first (`systemd-analyze unit-paths`).
std::vector<std::string> system_folders();
std::vector<std::string> user_folders();

}  // namespace vmcred::unitfile
