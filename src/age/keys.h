// Who can read an age file: recipients wrap the file key, identities unwrap it. One file implements each kind.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "age/header.h"
#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

/// What a recipient adds to a header. All recipients of one file must agree in their labels.
struct Wrapped {
  std::vector<Stanza> stanzas;
  std::vector<std::string> labels = {};  ///< sorted
};

/// The public half: safe to print, store and share among threads.
class Recipient {
 public:
  virtual ~Recipient() = default;
  Recipient(const Recipient&) = delete;
  Recipient& operator=(const Recipient&) = delete;
  /// As it was written, without white space around it: "age1…", "ssh-ed25519 AAAA… comment".
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] virtual Result<Wrapped> wrap(Bytes file_key, Randomness& randomness) const = 0;

 protected:
  explicit Recipient(std::string text) : text_(std::move(text)) {}

 private:
  std::string text_;
};

/// The private half. Usable from many threads at once.
class Identity {
 public:
  virtual ~Identity() = default;
  Identity() = default;
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;
  /// The file key; nothing when no stanza is for this identity; `invalid_data` when one of its own kind is malformed.
  [[nodiscard]] virtual Result<std::optional<Secret>> unwrap(std::span<const Stanza> stanzas) const = 0;
  /// The same for many files at once; one result each. Plugins run once for all of them.
  [[nodiscard]] virtual std::vector<Result<std::optional<Secret>>> unwrap_all(
      std::span<const std::span<const Stanza>> files) const;
  /// Whether this identity belongs to a recipient written like that. False where it cannot tell (plugins).
  [[nodiscard]] virtual bool reads(std::string_view recipient) const = 0;
  /// Its recipient's text; "" where that cannot be computed (plugins, passphrases).
  [[nodiscard]] virtual std::string recipient() const = 0;
};

using RecipientPtr = std::shared_ptr<const Recipient>;
using IdentityPtr = std::shared_ptr<const Identity>;
using Recipients = std::vector<RecipientPtr>;
using Identities = std::vector<IdentityPtr>;

struct Plugins;  // age/plugin.h: how plugins are found and what they may ask; without it nobody answers them

/// One recipient: "age1…" (X25519), "age1pq1…" (ML-KEM-768 with X25519), "ssh-ed25519 …", "ssh-rsa …", "age1NAME1…" (a
/// plugin's). Unknown kinds are `invalid_data`; the text of a mistyped *private* key is never repeated in the message.
Result<RecipientPtr> parse_recipient(std::string_view text);
Result<RecipientPtr> parse_recipient(std::string_view text, const Plugins& plugins);

/// One identity: "AGE-SECRET-KEY-1…", "AGE-SECRET-KEY-PQ-1…" or "AGE-PLUGIN-NAME-1…".
Result<IdentityPtr> parse_identity(std::string_view text);
Result<IdentityPtr> parse_identity(std::string_view text, const Plugins& plugins);
/// A key file: one a line as age-keygen writes it, '#' comments and empty lines skipped; or one SSH private key (which
/// gives two identities where it is Ed25519, see ssh.h). Errors say the line, never its text. None in it is
/// `not_found`.
Result<Identities> parse_identities(std::string_view text);
Result<Identities> parse_identities(std::string_view text, const Plugins& plugins);

/// A new X25519 key.
struct KeyPair {
  Secret identity;        ///< "AGE-SECRET-KEY-1…", no newline
  std::string recipient;  ///< "age1…"
};
KeyPair generate_key_pair(Randomness& randomness = kernel_randomness());

}  // namespace vmcred::age
