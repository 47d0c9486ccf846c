#include "chain/unit_files.h"

#include "base/file.h"
#include "chain/sizes.h"

namespace vmcred::chain {
namespace {

Result<> add_file(const std::string& path, std::vector<UnitText>& units) {
  if (units.size() == kMaxUnits) return fail(Errc::invalid_data, "there are more than {} unit files", kMaxUnits);
  TRY_LET(std::string text, in("read the unit", read_file(path, kMaxUnit)));
  units.push_back({path, std::move(text)});
  return {};
}

/// X.service.d/*.conf; no such folder is fine.
Result<> add_drop_ins(const std::string& folder, std::vector<UnitText>& units) {
  if (!is_folder(folder)) return {};
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  for (const std::string& name : names)
    if (name.ends_with(".conf")) TRY(add_file(join_path(folder, name), units));
  return {};
}

Result<> add_services(const std::string& folder, std::vector<UnitText>& units) {
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    if (name.ends_with(".service.d")) TRY(add_drop_ins(path, units));
    // A masked unit is a link to /dev/null, one that is gone leads nowhere: neither loads anything.
    if (name.ends_with(".service") && size_of_file(path)) TRY(add_file(path, units));
  }
  return {};
}

}  // namespace

Result<std::vector<UnitText>> read_units(const std::string& path) {
  std::vector<UnitText> units;
  if (is_folder(path) && path.ends_with(".d")) {
    TRY(add_drop_ins(path, units));
  } else if (is_folder(path)) {
    TRY(add_services(path, units));
  } else {
    TRY(add_file(path, units));
    if (path.ends_with(".service")) TRY(add_drop_ins(path + ".d", units));
  }
  return units;
}

}  // namespace vmcred::chain
