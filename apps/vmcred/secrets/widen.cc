#include "secrets/widen.h"

#include <algorithm>

#include "terminal/ask.h"

namespace vmcred::app {
namespace {

/// What a secret opens besides itself.
std::string beyond(const std::string& folder) {
  const std::string machine = store::machine_of_key_folder(folder);
  return machine.empty() ? "" : fmt::format(", and with it all that machine {} reads", machine);
}

}  // namespace

std::vector<std::string> new_readers(store::Principals& principals, std::span<const store::Adjustment> changes) {
  std::vector<std::string> lines;
  for (const store::Adjustment& change : changes)
    for (const store::PublicKey& key : change.added)
      lines.push_back(
          fmt::format("{}: {}{}", owner_of(principals, key), change.place.name(), beyond(change.place.folder)));
  return lines;
}

Result<> may_widen(store::Principals& principals, std::span<const store::Adjustment> changes, const Given& given,
                   const World& world) {
  const std::vector<std::string> lines = new_readers(principals, changes);
  if (lines.empty()) return {};
  World loud = world;
  loud.quiet = false;
  note(loud, "would newly read:");
  for (const std::string& line : lines) note(loud, "  " + line);
  if (given.has("widen")) return {};
  const Result<bool> yes = confirm(world, "let them read this?");
  if (yes && *yes) return {};
  if (yes) return fail(Errc::denied, "nothing was changed");
  return hint(fail(Errc::denied, "somebody would newly read something ({}{}), and nobody is here to say yes",
                   lines.front(), lines.size() == 1 ? std::string() : fmt::format(", and {} more", lines.size() - 1)),
              "nothing was changed; --widen says that all who are listed may read it");
}

Result<> may_grant(store::Principals& principals, const store::Adjustment& change,
                   std::span<const store::PublicKey> named, const Given& given, const World& world) {
  store::Adjustment meant = change;
  store::Adjustment others = change;
  const auto is_named = [&](const store::PublicKey& key) { return std::ranges::find(named, key) != named.end(); };
  std::erase_if(meant.added, [&](const store::PublicKey& key) { return !is_named(key); });
  std::erase_if(others.added, is_named);
  TRY(may_widen(principals, {&others, 1}, given, world));
  for (const std::string& line : new_readers(principals, {&meant, 1})) note(world, "newly reads: " + line);
  return {};
}

}  // namespace vmcred::app
