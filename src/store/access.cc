#include "store/access.h"

#include <fcntl.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/json.h"
#include "store/entries.h"
#include "store/refused.h"

namespace vmcred::store {
namespace {

constexpr std::size_t kMaxKeyFile = 1024 * 1024;

std::string principal_path(Kind kind, std::string_view name) { return fmt::format("sops/{}/{}", plural(kind), name); }

void add_sorted(std::vector<std::string>& list, const std::string& name) {
  const auto place = std::ranges::lower_bound(list, name);
  if (place == list.end() || *place != name) list.insert(place, name);
}

/// Where a relative link in `folder` leads, by its words alone; "" when it leaves the project.
std::string lexical_target(std::string_view folder, std::string_view target) {
  if (target.starts_with('/')) return {};
  std::vector<std::string_view> parts;
  const auto walk = [&](std::string_view path) {
    while (!path.empty()) {
      const std::size_t slash = std::min(path.find('/'), path.size());
      const std::string_view part = path.substr(0, slash);
      path.remove_prefix(std::min(slash + 1, path.size()));
      if (part.empty() || part == ".") continue;
      if (part != "..") {
        parts.push_back(part);
      } else if (parts.empty()) {
        return false;
      } else {
        parts.pop_back();
      }
    }
    return true;
  };
  if (!walk(folder) || !walk(target)) return {};
  std::string joined;
  for (const std::string_view part : parts) joined += joined.empty() ? std::string(part) : "/" + std::string(part);
  return joined;
}

std::map<std::string, std::string> links_among(const std::vector<Entry>& entries) {
  std::map<std::string, std::string> links;
  for (const Entry& entry : entries)
    if (entry.type == Entry::Type::link) links[entry.name] = entry.target;
  return links;
}

/// "ssh-ed25519 AAAA…" of a line that may have a comment; other keys hold no blanks.
std::string without_comment(const std::string& key) {
  const std::size_t first = key.find(' ');
  const std::size_t second = first == std::string::npos ? first : key.find(' ', first + 1);
  return key.substr(0, second);
}

}  // namespace

std::string_view plural(Kind kind) {
  constexpr std::array<std::string_view, 3> kWords = {"users", "machines", "groups"};
  return kWords.at(static_cast<std::size_t>(kind));
}

std::string_view singular(Kind kind) {
  constexpr std::array<std::string_view, 3> kWords = {"user", "machine", "group"};
  return kWords.at(static_cast<std::size_t>(kind));
}

const std::vector<std::string>& Links::of(Kind kind) const {
  return kind == Kind::user ? users : kind == Kind::machine ? machines : groups;
}
std::vector<std::string>& Links::of(Kind kind) {
  return kind == Kind::user ? users : kind == Kind::machine ? machines : groups;
}
void Links::add(Kind kind, const std::string& name) { add_sorted(of(kind), name); }

Result<std::vector<PublicKey>> parse_key_file(std::string_view text) {
  TRY_LET(const Json json, parse_json(text, {.max_bytes = kMaxKeyFile, .max_depth = 8}));
  std::vector<PublicKey> keys;
  const auto add = [&](const Json& item) -> Result<> {
    std::string type = item.string_at("type");
    std::ranges::transform(type, type.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    std::string key = item.string_at("publickey");
    if (key.empty()) return fail(Errc::invalid_data, "a key has no 'publickey'");
    if (type != "age" && type != "pgp") return fail(Errc::invalid_data, "a key is of the unknown type '{}'", type);
    keys.push_back({.type = std::move(type), .text = std::move(key)});
    return {};
  };
  if (const Json::Array* list = json.if_array()) {
    for (const Json& item : *list) TRY(add(item));
  } else {
    TRY(add(json));
  }
  if (keys.empty()) return fail(Errc::invalid_data, "there is no key in it");
  std::ranges::sort(keys);
  const auto repeated = std::ranges::unique(keys);
  keys.erase(repeated.begin(), repeated.end());
  return keys;
}

std::string print_key_file(std::vector<PublicKey> keys) {
  std::ranges::sort(
      keys, [](const PublicKey& a, const PublicKey& b) { return std::tie(a.text, a.type) < std::tie(b.text, b.type); });
  Json list = Json::array();
  for (PublicKey& key : keys) {
    Json item = Json::object();
    item.set("publickey", std::move(key.text));
    item.set("type", std::move(key.type));
    list.push(std::move(item));
  }
  std::string text = dump_json(list, Indent::two_spaces);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string link_target(std::string_view folder, Kind kind, std::string_view name) {
  // Inside sops/ clan writes the short way round.
  const bool short_way = folder.starts_with("sops/");
  std::string target;
  for (auto ups = std::ranges::count(folder, '/') + (short_way ? 1 : 2); ups > 0; --ups) target += "../";
  if (!short_way) target += "sops/";
  target += plural(kind);
  target += '/';
  target += name;
  return target;
}

const Result<std::vector<PublicKey>>& Principals::keys(Kind kind, const std::string& name) {
  const auto known = keys_.find({kind, name});
  if (known != keys_.end()) return known->second;
  const std::string path = principal_path(kind, name) + "/key.json";
  const auto load = [&]() -> Result<std::vector<PublicKey>> {
    Result<std::string> text = repository_->read_proven(path, kMaxKeyFile);
    if (!text && text.error().code == Errc::not_found) return no_such(*this, kind, name);
    Result<std::vector<PublicKey>> keys =
        text ? in(fmt::format("read '{}'", path), parse_key_file(*text)) : std::unexpected(std::move(text).error());
    if (!keys && keys.error().hint.empty()) keys.error().hint = "bring it back from git, or give him his key anew";
    return keys;
  };
  return keys_.emplace(std::pair{kind, name}, load()).first->second;
}

bool Principals::exists(Kind kind, const std::string& name) {
  if (kind != Kind::group) return keys(kind, name).has_value();
  return open_beneath(repository_->root(), principal_path(kind, name), O_PATH | O_DIRECTORY | O_CLOEXEC).has_value();
}

Result<std::vector<std::string>> Principals::names(Kind kind) const {
  Result<std::vector<std::string>> names =
      list_folder(join_path(repository_->folder(), fmt::format("sops/{}", plural(kind))));
  if (!names && names.error().code == Errc::not_found) return std::vector<std::string>{};
  return names;
}

Result<Acl> Principals::links_in(const Fd& above, const std::string& above_path, const std::string& name,
                                 std::initializer_list<Kind> kinds) {
  Acl acl;
  const std::string folder = above_path.empty() ? name : above_path + "/" + name;
  for (const Kind kind : kinds) {
    std::string inner = "/";
    inner += plural(kind);
    const std::string place = folder + inner;
    TRY_LET(const std::vector<Entry> entries, entries_in(above, name + inner, place));
    if (repository_->proof() != nullptr)
      TRY(repository_->proof()->check_links(repository_->root(), place, links_among(entries)));
    if (entries.empty()) continue;
    const std::string prefix = link_target(folder, kind, "");
    for (const Entry& entry : entries) {
      const auto path = [&] { return fmt::format("{}/{}", place, entry.name); };
      const bool is_link = entry.type == Entry::Type::link;
      const bool common = is_link && entry.target.starts_with(prefix) &&
                          std::string_view(entry.target).substr(prefix.size()) == entry.name;
      if (!is_link) {
        acl.bad.push_back({path(), "is no link, so it grants nothing"});
      } else if (!common && lexical_target(place, entry.target) != principal_path(kind, entry.name)) {
        acl.bad.push_back(
            {path(), fmt::format("leads to '{}' instead of {}", entry.target, principal_path(kind, entry.name))});
      } else if (!exists(kind, entry.name)) {
        const bool damaged = kind != Kind::group && keys(kind, entry.name).error().code != Errc::not_found;
        if (damaged) return std::unexpected(keys(kind, entry.name).error());
        acl.bad.push_back({path(), fmt::format("leads nowhere: there is no {} '{}'", singular(kind), entry.name)});
      } else {
        acl.links.of(kind).push_back(entry.name);
      }
    }
  }
  return acl;
}

Result<Acl> Principals::acl(const Fd& above, const std::string& above_path, const std::string& name) {
  return links_in(above, above_path, name, {Kind::user, Kind::machine, Kind::group});
}

Result<Acl> Principals::acl(const std::string& folder) {
  const Result<Fd> open = open_beneath(repository_->root(), folder, O_PATH | O_DIRECTORY);
  if (!open && open.error().code == Errc::not_found) return Acl{};
  if (!open) return std::unexpected(open.error());
  return acl(repository_->root(), "", folder);
}

Result<Acl> Principals::group(const std::string& name) {
  const auto known = groups_.find(name);
  if (known != groups_.end()) return known->second;
  const std::string path = principal_path(Kind::group, name);
  if (!exists(Kind::group, name)) return fail(Errc::not_found, "there is no group '{}'", name);
  return groups_.emplace(name, links_in(repository_->root(), "", path, {Kind::user, Kind::machine})).first->second;
}

const Result<std::vector<PublicKey>>& Principals::readers(const Links& links) {
  if (!last_readers_ || last_readers_->first != links) last_readers_ = {links, resolve(links)};
  return last_readers_->second;
}

Result<std::vector<PublicKey>> Principals::resolve(const Links& links) {
  std::vector<PublicKey> all;
  const auto add = [&](Kind kind, const std::vector<std::string>& names) -> Result<> {
    for (const std::string& name : names) {
      const Result<std::vector<PublicKey>>& found = keys(kind, name);
      if (!found) return std::unexpected(found.error());
      all.insert(all.end(), found->begin(), found->end());
    }
    return {};
  };
  TRY(add(Kind::user, links.users));
  TRY(add(Kind::machine, links.machines));
  for (const std::string& name : links.groups) {
    TRY_LET(const Acl members, group(name));
    TRY(add(Kind::user, members.links.users));
    TRY(add(Kind::machine, members.links.machines));
  }
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

bool reads(Principals& principals, const Links& links, Kind kind, const std::string& name) {
  if (std::ranges::binary_search(links.of(kind), name)) return true;
  return std::ranges::any_of(links.groups, [&](const std::string& group) {
    const Result<Acl> members = principals.group(group);
    return members && std::ranges::binary_search(members->links.of(kind), name);
  });
}

Result<std::string> Principals::user_of(const KeyRing& ring) {
  TRY_LET(const std::vector<std::string> users, names(Kind::user));
  for (const std::string& user : users) {
    const Result<std::vector<PublicKey>> found = keys(Kind::user, user);
    if (!found && found.error().code == Errc::not_found) continue;
    if (!found) return std::unexpected(found.error());
    for (const PublicKey& key : *found)
      if (std::ranges::binary_search(ring.recipients(), without_comment(key.text))) return user;
  }
  if (ring.empty())
    return hint(fail(Errc::denied, "you have no private key"), "run 'vmcred init' (or 'vmcred vars keygen')");
  return hint(fail(Errc::denied, "none of your keys belongs to a user of this project"),
              "run 'vmcred vars keygen', or ask somebody who is one to add you");
}

}  // namespace vmcred::store
