// The secrets of agenix and sops-nix as they lie on disk: values, recipients, and what the keys are called there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "age/keys.h"
#include "base/result.h"
#include "base/secret.h"
#include "nix/evaluate.h"

namespace vmcred::adopt {

inline constexpr std::size_t kMaxForeignFile = 24UL * 1024 * 1024;
inline constexpr std::size_t kMaxForeignFiles = 4096;

/// One value, and where it comes from.
struct Foreign {
  std::string source;     ///< "sub/wifi.age", "mail.yaml:smtp/password": for messages and --rename
  std::string generator;  ///< the generator that it becomes a file of; "": nothing of its name can be one
  std::string file;
  Secret value;
  bool secret = true;                        ///< false: it stood in the clear
  std::vector<std::string> recipients = {};  ///< as they were written, without comments; sorted, each once
  std::vector<std::string> unproven = {};    ///< those of them that the file was perhaps never encrypted to
};

/// What the owner of a key is called, as far as the files tell.
struct KeyName {
  std::string name;      ///< tamed: lower case letters, digits and '-'
  bool machine = false;  ///< a host's key rather than a person's
};

/// A secret that is not taken over, and why.
struct LeftOut {
  std::string source;
  Error error;
};

struct Found {
  std::vector<Foreign> secrets = {};
  std::map<std::string, KeyName> names = {};  ///< by recipient; none for those nothing is known of
  std::vector<LeftOut> left_out = {};
  std::vector<std::string> notes = {};  ///< what is worth knowing of secrets that are taken over
};

/// agenix: `path` is secrets.nix or its folder. nix evaluates it; each NAME.age becomes the file NAME of a generator
/// NAME. Names of keys come from SSH comments ("alice@laptop", "root@web") and from the names in secrets.nix. Who is
/// named there and is not among the stanzas of the file is `unproven`.
Result<Found> read_agenix(const std::string& path, const age::Identities& identities, const nix::Settings& settings);

/// sops-nix: `path` is a sops file, or a folder with some. A yaml, json or dotenv file becomes a generator with a file
/// for each value; a binary one a generator with one file. Names of keys come from the anchors of .sops.yaml, there or
/// above.
Result<Found> read_sops_nix(const std::string& path, const age::Identities& identities);

/// An SSH key without its comment; other texts as they are, without white space around them.
std::string without_comment(const std::string& recipient);
/// Sorted, without comments, each once.
std::vector<std::string> normal_recipients(std::vector<std::string> recipients);
/// "smtp/password" -> "smtp-password"; what a name of a file or of a user cannot hold becomes '-'.
std::string tamed(std::string_view text);
/// The name in a key's comment ("root@web" is the machine web), or nothing.
KeyName name_in_comment(const std::string& recipient);
/// "server_web" -> machine web, "system1" -> machine system1, "admin_alice" -> alice
KeyName name_of_word(std::string_view word);
/// "systems", "hosts": what lists of machines are called.
[[nodiscard]] bool is_word_for_machines(std::string_view word);

}  // namespace vmcred::adopt
