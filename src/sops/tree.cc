#include "sops/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/crypto.h"
#include "base/sha256.h"
#include "sops/data_key.h"
#include "sops/enc.h"
#include "sops/metadata.h"
#include "sops/selection.h"
#include "sops/sops.h"

namespace vmcred::sops {
namespace {

/// What sops covers by its MAC: a value of its type, written anew. That the type was changed shows there, or in that
/// the text is none of it (Go's Atoi, ParseFloat, ParseBool and RFC 3339).
Result<> settle_type(Opened& opened) {
  const std::string_view text = opened.plaintext.text();
  const auto is_none = [&] { return fail(Errc::mismatch, "its text is no {}, as its type says", opened.type); };
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  const bool signed_twice = digits.size() != text.size() && digits.starts_with('-');
  if (opened.type == "int") {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || signed_twice) return is_none();
    opened.plaintext = Secret::copy_of(fmt::format("{}", value));
  } else if (opened.type == "float") {
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || signed_twice) return is_none();
    opened.plaintext = Secret::copy_of(float_text(value));
  } else if (opened.type == "bool") {
    constexpr std::array<std::string_view, 6> kTrue = {"1", "t", "T", "TRUE", "true", "True"};
    constexpr std::array<std::string_view, 6> kFalse = {"0", "f", "F", "FALSE", "false", "False"};
    const bool is_true = std::ranges::find(kTrue, text) != kTrue.end();
    if (!is_true && std::ranges::find(kFalse, text) == kFalse.end()) return is_none();
    opened.plaintext = Secret::copy_of(is_true ? "True" : "False");
  } else if (opened.type == "time") {
    const bool shape =
        text.size() >= 20 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':';
    if (!shape) return is_none();
  }
  return {};
}

/// Walks a tree in document order: opens, hashes and collects.
class Walk {
 public:
  Walk(const Selection& selection, Bytes data_key, bool mac_only_encrypted)
      : selection_(selection), data_key_(data_key), mac_only_encrypted_(mac_only_encrypted) {
    if (mac_only_encrypted_) digest_.update(sha256(bytes_of("sops")));  // so that the two kinds of MAC never agree
  }

  Result<> visit(const Node& node, bool matched) {
    switch (node.type) {
      case Node::Type::null:
        return {};
      case Node::Type::map:
        for (const Node& child : node.children) {
          path_.push_back(child.key);
          const std::size_t place = place_.size();
          place_.append(child.key).append(":");
          TRY(visit(child, matched || selection_.matches(child.key)));
          place_.resize(place);
          path_.pop_back();
        }
        return {};
      case Node::Type::list:
        for (std::size_t i = 0; i < node.children.size(); ++i) {
          path_.push_back(fmt::format("{}", i));
          TRY(visit(node.children[i], matched));
          path_.pop_back();
        }
        return {};
      default:
        return visit_leaf(node, matched == selection_.encrypts_matches());
    }
  }

  [[nodiscard]] Secret mac() { return mac_text(digest_.finish()); }
  [[nodiscard]] std::vector<Leaf> take_leaves() { return std::move(leaves_); }

 private:
  [[nodiscard]] std::string name() const { return fmt::format("value '{}'", fmt::join(path_, "/")); }

  Result<> visit_leaf(const Node& node, bool encrypted) {
    if (!encrypted) {
      if (!mac_only_encrypted_) digest_.update(bytes_of(node.text));
      const bool flag = node.type == Node::Type::boolean;
      leaves_.push_back(
          {.path = path_,
           .value = Secret::copy_of(flag ? (node.text == "True" ? "true" : "false") : std::string_view(node.text)),
           .encrypted = false});
      return {};
    }
    if (node.type != Node::Type::text) return fail(Errc::invalid_data, "{} should be encrypted and is not", name());
    if (node.text.empty()) {  // sops leaves an empty text as it is
      leaves_.push_back({.path = path_, .value = {}, .encrypted = true});
      return {};
    }
    TRY_LET(Opened opened, in(name(), open(data_key_, place_, node.text)));
    if (opened.type == "comment") return fail(Errc::invalid_data, "{} is a comment", name());
    TRY(in(name(), settle_type(opened)));
    digest_.update(opened.plaintext.bytes());
    if (opened.type == "bool") opened.plaintext = Secret::copy_of(opened.plaintext.text() == "True" ? "true" : "false");
    leaves_.push_back({.path = path_, .value = std::move(opened.plaintext), .encrypted = true});
    return {};
  }

  const Selection& selection_;
  Bytes data_key_;
  bool mac_only_encrypted_;
  Sha512 digest_;
  std::vector<std::string> path_;
  std::string place_;  // the keys with ':' after each; list numbers are not in it
  std::vector<Leaf> leaves_;
};

Result<Tree> read_tree(std::string_view text, Kind kind) {
  switch (kind) {
    case Kind::json:
      return read_json_tree(text);
    case Kind::yaml:
      return read_yaml_tree(text);
    case Kind::dotenv:
      return read_dotenv_tree(text);
    default:
      return hint(fail(Errc::invalid_data, "INI files are not read"), "convert it with sops: --output-type yaml");
  }
}

}  // namespace

Kind kind_of(std::string_view path) {
  if (path.ends_with(".yaml") || path.ends_with(".yml")) return Kind::yaml;
  if (path.ends_with(".json")) return Kind::json;
  if (path.ends_with(".env")) return Kind::dotenv;
  if (path.ends_with(".ini")) return Kind::ini;
  return Kind::binary;
}

Result<std::vector<Leaf>> decrypt_tree(std::string_view text, Kind kind, std::span<const age::IdentityPtr> identities) {
  if (kind == Kind::binary) {
    TRY_LET(const File file, parse(text));
    TRY_LET(Secret value, decrypt(file, identities));
    std::vector<Leaf> leaves;
    leaves.push_back({.path = {"data"}, .value = std::move(value), .encrypted = true});
    return leaves;
  }
  TRY_LET(Tree tree, in("sops file", read_tree(text, kind)));
  if (tree.metadata.is_null()) {
    return hint(fail(Errc::invalid_data, "sops file: there is no 'sops' part"), "is it a sops file at all?");
  }
  File file;
  TRY(in("sops file", read_metadata(std::move(tree.metadata), file)));
  TRY_LET(const Selection selection, in("sops file", Selection::from(file.other)));
  TRY_LET(const Secret data_key, unwrap_data_key(file, identities));
  Walk walk(selection, data_key.bytes(), is_set(file.other, "mac_only_encrypted"));
  for (const Node& document : tree.documents) TRY(walk.visit(document, false));
  TRY(check_mac(file.mac, file.lastmodified, data_key.bytes(), walk.mac().bytes()));
  return walk.take_leaves();
}

}  // namespace vmcred::sops
