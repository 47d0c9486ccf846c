#include "store/address.h"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

namespace vmcred::store {
namespace {

using declare::Sharing;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// What a shell leaves when it completes the path of a secret.
std::string_view without_tail(std::string_view path, std::initializer_list<std::string_view> tails) {
  if (path.ends_with('/')) path.remove_suffix(1);
  for (const std::string_view tail : tails)
    if (path.ends_with(tail)) return path.substr(0, path.size() - tail.size());
  return path;
}

/// "GENERATOR/FILE" of a path that may go on to the stored file; "" for another one.
std::string_view var_name(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  if (std::ranges::count(path, '/') == 2) path = without_tail(path, {"/secret", "/value"});
  return std::ranges::count(path, '/') == 1 ? path : std::string_view();
}

/// "token/key (machine web)": what stands in the brackets.
bool take_brackets(std::string_view& text, Address& address) {
  const std::size_t open = text.rfind(" (");
  if (open == std::string_view::npos || !text.ends_with(')')) return false;
  std::string_view inside = text.substr(open + 2, text.size() - open - 3);
  if (inside == "shared") {
    address.sharing = Sharing::shared;
  } else if (take_prefix(inside, "machine ")) {
    address.sharing = Sharing::per_machine;
    address.owner = inside;
  } else if (take_prefix(inside, "vm ")) {
    address.sharing = Sharing::per_vm;
    address.owner = inside;
  } else {
    return false;
  }
  text = text.substr(0, open);
  return true;
}

/// "per-machine/web/": whose it is. A path that ends there is none.
bool take_placement(std::string_view& text, Address& address) {
  if (take_prefix(text, "shared/")) {
    address.sharing = Sharing::shared;
    return true;
  }
  for (const auto& [prefix, sharing] : {std::pair{std::string_view("per-machine/"), Sharing::per_machine},
                                        std::pair{std::string_view("per-vm/"), Sharing::per_vm}}) {
    if (!text.starts_with(prefix)) continue;
    const std::size_t slash = text.find('/', prefix.size());
    if (slash == std::string_view::npos) return false;
    address.sharing = sharing;
    address.owner = text.substr(prefix.size(), slash - prefix.size());
    text.remove_prefix(slash + 1);
    return true;
  }
  return false;
}

bool fits(const std::string& written, const std::string& name, Patterns patterns) {
  if (patterns == Patterns::yes && is_pattern(written)) return ::fnmatch(written.c_str(), name.c_str(), 0) == 0;
  return written == name;
}

/// Of what no generator makes.
std::pair<std::string, std::string> typed(std::string_view folder) {
  constexpr std::string_view kBelowVars = "vars/per-export/";
  if (!folder.starts_with(kBelowVars)) return {"", std::string(folder.substr(folder.rfind('/') + 1))};
  const std::string_view rest = folder.substr(kBelowVars.size());
  const std::size_t slash = rest.find('/');
  return {std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
}

}  // namespace

Address read_address(std::string_view text) {
  Address address;
  if (take_brackets(text, address)) {
    address.name = text;
    return address;
  }
  std::string_view path = text;
  take_prefix(path, "/run/vmcred/");
  take_prefix(path, "vars/");
  std::string_view placed = path;
  if (take_placement(placed, address) && !var_name(placed).empty()) {
    address.name = var_name(placed);
    return address;
  }
  address = {};
  if (take_prefix(path, "per-export/")) {
    path = without_tail(path, {"/secret"});
    const std::size_t slash = std::min(path.find('/'), path.size());
    address.owner = path.substr(0, slash);
    address.name = path.substr(std::min(slash + 1, path.size()));
    address.beside_vars = true;
    return address;
  }
  if (take_prefix(text, "sops/secrets/")) {
    address.name = without_tail(text, {"/secret"});
    address.beside_vars = true;
    return address;
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) address.owner = text.substr(0, colon);
  address.name = colon == std::string_view::npos ? text : text.substr(colon + 1);
  return address;
}

std::string address_of(const VarId& id) {
  const std::string& owner = id.generator.placement.owner;
  return fmt::format("{}{}{}/{}", owner, owner.empty() ? "" : ":", id.generator.generator, id.file);
}

std::string address_of(const SecretPlace& place) {
  if (place.var) return address_of(*place.var);
  const auto [owner, name] = typed(place.folder);
  return owner.empty() ? name : owner + ":" + name;
}

bool means(const Address& address, const VarId& id, Patterns patterns) {
  const Placement& placement = id.generator.placement;
  if (address.beside_vars) return false;
  if (address.sharing && *address.sharing != placement.sharing) return false;
  if (!address.owner.empty() && (placement.owner.empty() || !fits(address.owner, placement.owner, patterns)))
    return false;
  return fits(address.name, fmt::format("{}/{}", id.generator.generator, id.file), patterns);
}

bool means(const Address& address, const SecretPlace& place, Patterns patterns) {
  if (place.var) return means(address, *place.var, patterns);
  if (address.sharing) return false;
  const bool pattern = patterns == Patterns::yes && (is_pattern(address.name) || is_pattern(address.owner));
  // The private key of a machine opens all that the machine reads: a pattern gets it only where it names these.
  if (pattern && !address.beside_vars) return false;
  const auto [owner, name] = typed(place.folder);
  const bool exported = !owner.empty();
  if (address.beside_vars && exported != !address.owner.empty()) return false;
  if (!address.owner.empty() && !fits(address.owner, owner, patterns)) return false;
  return fits(address.name, name, patterns);
}

std::pair<std::string, std::string> typed_name(const SecretPlace& place) {
  if (!place.var) return typed(place.folder);
  return {place.var->generator.placement.owner, fmt::format("{}/{}", place.var->generator.generator, place.var->file)};
}

bool is_pattern(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

}  // namespace vmcred::store
