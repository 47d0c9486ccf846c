#include "unit/install.h"

#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/file.h"

namespace vmcred::unit {
namespace {

constexpr std::size_t kMaxUnitFile = 4UL * 1024 * 1024;
constexpr std::string_view kDropIn = "50-vmcred.conf";

/// The text that stands there, or nothing.
Result<std::optional<std::string>> present_text(const std::string& path) {
  auto text = read_file(path, kMaxUnitFile);
  if (text) return std::optional(*std::move(text));
  if (text.error().code == Errc::not_found) return std::optional<std::string>();
  return std::unexpected(std::move(text).error());
}

/// Our drop-ins below `folder` that are not among `files`.
Result<std::vector<std::string>> stale_drop_ins(const std::string& folder, const std::vector<UnitFile>& files,
                                                Scope scope) {
  std::vector<std::string> stale;
  if (!is_folder(folder)) return stale;
  TRY_LET(const auto names, list_folder(folder));
  for (const std::string& name : names) {
    if (!name.ends_with(".service.d") || name.starts_with("microvm@") != (scope == Scope::host)) continue;
    const std::string path = fmt::format("{}/{}", name, kDropIn);
    if (std::ranges::any_of(files, [&path](const UnitFile& file) { return file.path == path; })) continue;
    TRY_LET(const auto text, present_text(join_path(folder, path)));
    if (text && text->starts_with(kMark)) stale.push_back(path);
  }
  return stale;
}

}  // namespace

std::string_view install_word(InstallKind kind) {
  switch (kind) {
    case InstallKind::added:
      return "new";
    case InstallKind::changed:
      return "changed";
    case InstallKind::unchanged:
      return "unchanged";
    case InstallKind::removed:
      return "removed";
  }
  return "";
}

Result<std::vector<Installed>> install_units(const std::string& folder, const std::vector<UnitFile>& files,
                                             Scope scope) {
  // Everything is looked at before anything is written.
  std::vector<Installed> done;
  for (const UnitFile& file : files) {
    const std::string path = join_path(folder, file.path);
    TRY_LET(const auto text, present_text(path));
    if (text && !text->starts_with(kMark)) {
      return hint(fail(Errc::denied, "'{}' was not written by vmcred and is left alone", path),
                  "move it away; what it adds can stand in a drop-in of its own");
    }
    done.push_back({file.path, !text                ? InstallKind::added
                               : *text == file.text ? InstallKind::unchanged
                                                    : InstallKind::changed});
  }
  TRY_LET(const auto stale, stale_drop_ins(folder, files, scope));
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (done[i].kind == InstallKind::unchanged) continue;
    const std::string path = join_path(folder, files[i].path);
    TRY(make_folders(path.substr(0, path.rfind('/'))));
    TRY(write_file(path, files[i].text, 0644));
  }
  for (const std::string& path : stale) {
    const std::string whole = join_path(folder, path);
    TRY(remove_tree(whole));
    (void)::rmdir(whole.substr(0, whole.rfind('/')).c_str());  // it stays while it holds drop-ins of others
    done.push_back({path, InstallKind::removed});
  }
  return done;
}

}  // namespace vmcred::unit
