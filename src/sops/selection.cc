#include "sops/selection.h"

#include <re2/re2.h>

#include <array>

namespace vmcred::sops {
namespace {

constexpr std::size_t kMaxExpression = 4096;
constexpr std::int64_t kMaxMemory = 1 << 20;

struct Rule {
  std::string_view name;
  bool encrypts;
  enum class How : std::uint8_t { suffix, expression, comment } how;
};
constexpr std::array<Rule, 6> kRules = {{{"unencrypted_suffix", false, Rule::How::suffix},
                                         {"encrypted_suffix", true, Rule::How::suffix},
                                         {"unencrypted_regex", false, Rule::How::expression},
                                         {"encrypted_regex", true, Rule::How::expression},
                                         {"unencrypted_comment_regex", false, Rule::How::comment},
                                         {"encrypted_comment_regex", true, Rule::How::comment}}};

}  // namespace

struct Selection::Expression {
  re2::RE2 compiled;
};

Selection::Selection() = default;
Selection::Selection(Selection&&) noexcept = default;
Selection& Selection::operator=(Selection&&) noexcept = default;
Selection::~Selection() = default;

Result<Selection> Selection::from(const Json::Object& metadata) {
  Selection selection;
  selection.suffix_ = "_unencrypted";
  bool found = false;
  for (const Rule& rule : kRules) {
    for (const auto& [name, value] : metadata) {
      if (name != rule.name || value.if_string() == nullptr || value.if_string()->empty()) continue;
      if (found) return fail(Errc::invalid_data, "more than one rule says which values are encrypted");
      found = true;
      selection.encrypts_matches_ = rule.encrypts;
      const std::string& text = *value.if_string();
      if (rule.how == Rule::How::suffix) {
        selection.suffix_ = text;
        continue;
      }
      if (rule.how == Rule::How::comment) {
        return hint(fail(Errc::invalid_data, "'{}' selects by comments, which vmcred does not read", rule.name),
                    "select by names (encrypted_regex) and re-encrypt it with sops");
      }
      if (text.size() > kMaxExpression) return fail(Errc::invalid_data, "'{}' is too long", rule.name);
      re2::RE2::Options options;
      options.set_log_errors(false);
      options.set_max_mem(kMaxMemory);
      selection.expression_.reset(new Expression{.compiled = re2::RE2(text, options)});
      if (!selection.expression_->compiled.ok()) {
        return fail(Errc::invalid_data, "'{}' is no regular expression: {}", rule.name,
                    selection.expression_->compiled.error());
      }
    }
  }
  return selection;
}

bool Selection::matches(std::string_view key) const {
  if (expression_ != nullptr) return re2::RE2::PartialMatch({key.data(), key.size()}, expression_->compiled);
  return key.ends_with(suffix_);
}

}  // namespace vmcred::sops
