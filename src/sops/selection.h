// Which values of a sops file are encrypted, by the rules in its metadata.
#pragma once

#include <memory>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace vmcred::sops {

/// One rule: a suffix or an RE2 expression (as in Go) over the keys of a path; one match decides for all below it.
class Selection {
 public:
  /// At most one of {un,}encrypted_suffix and {un,}encrypted_regex; none means unencrypted_suffix "_unencrypted". The
  /// two rules over comments are refused: our readers do not keep comments.
  static Result<Selection> from(const Json::Object& metadata);
  Selection(Selection&&) noexcept;
  Selection& operator=(Selection&&) noexcept;
  ~Selection();

  /// Whether this key matches the rule.
  [[nodiscard]] bool matches(std::string_view key) const;
  /// Whether values below a matching key are the encrypted ones; otherwise they are the clear ones.
  [[nodiscard]] bool encrypts_matches() const { return encrypts_matches_; }

 private:
  Selection();
  struct Expression;
  std::unique_ptr<Expression> expression_;
  std::string suffix_;
  bool encrypts_matches_ = false;
};

}  // namespace vmcred::sops
