// Who may read a secret: users, machines and groups below sops/, and the links that a secret's folder has to them.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/key_ring.h"
#include "store/repository.h"

namespace vmcred::store {

enum class Kind : std::uint8_t { user, machine, group };
/// "users", "machines", "groups": the folder below sops/ and inside a secret's folder.
std::string_view plural(Kind kind);
/// "user", "machine", "group"
std::string_view singular(Kind kind);

/// A public key as key.json holds it. Two are the same when type and text are.
struct PublicKey {
  std::string type;  ///< "age" or "pgp"
  std::string text;
  auto operator<=>(const PublicKey&) const = default;
};

/// key.json: a list of objects, or one object (older files). Other members are ignored; a key without type or text, or
/// of another type, is `invalid_data`.
Result<std::vector<PublicKey>> parse_key_file(std::string_view text);
/// The list form as clan writes it: two spaces, sorted, no final newline.
std::string print_key_file(std::vector<PublicKey> keys);

/// The names that a secret's folder links to; each list sorted.
struct Links {
  std::vector<std::string> users = {};
  std::vector<std::string> machines = {};
  std::vector<std::string> groups = {};
  bool operator==(const Links&) const = default;
  [[nodiscard]] const std::vector<std::string>& of(Kind kind) const;
  std::vector<std::string>& of(Kind kind);
  void add(Kind kind, const std::string& name);
};

/// A thing in an ACL that grants nothing although it looks as if it did.
struct BadLink {
  std::string path;    ///< below the project folder
  std::string reason;  ///< "is no link", "leads to …, not to sops/users/alice", "user 'alice' does not exist"
};

/// Links of one secret's folder, with what is wrong among them.
struct Acl {
  Links links;
  std::vector<BadLink> bad = {};
};

/// What a link must say so that it leads from `folder`/KIND/NAME to sops/KIND/NAME.
std::string link_target(std::string_view folder, Kind kind, std::string_view name);

/// The principals of a repository. Keeps what it has read: make a new one after a change.
class Principals {
 public:
  explicit Principals(const Repository& repository) : repository_(&repository) {}
  [[nodiscard]] const Repository& repository() const { return *repository_; }

  /// `not_found` when there is no such user or machine.
  const Result<std::vector<PublicKey>>& keys(Kind kind, const std::string& name);
  /// The members of a group, each a link that is checked as any other.
  Result<Acl> group(const std::string& name);
  [[nodiscard]] bool exists(Kind kind, const std::string& name);
  Result<std::vector<std::string>> names(Kind kind) const;

  /// The ACL of the secret in `folder` (below the project folder). Links that do not lead to sops/KIND/SAME-NAME, plain
  /// files and links to nobody are in `bad` and grant nothing.
  Result<Acl> acl(const std::string& folder);
  /// The same for the folder `name` below one that is open, whose path is `above_path` ("": the project's).
  Result<Acl> acl(const Fd& above, const std::string& above_path, const std::string& name);

  /// The keys behind links, groups resolved, sorted and each once. Good until the next call.
  const Result<std::vector<PublicKey>>& readers(const Links& links);

  /// The user one of whose keys is in the ring. `denied` when there is none, with the remedy.
  Result<std::string> user_of(const KeyRing& keys);

 private:
  Result<std::vector<PublicKey>> resolve(const Links& links);
  Result<Acl> links_in(const Fd& above, const std::string& above_path, const std::string& name,
                       std::initializer_list<Kind> kinds);

  const Repository* repository_;
  std::map<std::pair<Kind, std::string>, Result<std::vector<PublicKey>>> keys_ = {};
  std::map<std::string, Result<Acl>> groups_ = {};
  std::optional<std::pair<Links, Result<std::vector<PublicKey>>>> last_readers_ = {};  // neighbours have the same
};

/// Whether links, groups included, make somebody a reader.
bool reads(Principals& principals, const Links& links, Kind kind, const std::string& name);

}  // namespace vmcred::store
