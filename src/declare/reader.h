// Reading the neutral tree: typed access to tables that collects what is wrong instead of stopping at it.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "declare/problem.h"
#include "declare/tree.h"
#include "declare/words.h"

namespace vmcred::declare {

using Keys = std::span<const std::string_view>;

/// What was found wrong so far, and what the files are called.
class Report {
 public:
  Report(std::vector<std::string> files, bool with_pointers)
      : files_(std::move(files)), with_pointers_(with_pointers) {}
  Report(std::string file, bool with_pointers) : Report(std::vector{std::move(file)}, with_pointers) {}
  void add(Fault fault, Place place, std::string message, std::string hint = {});
  [[nodiscard]] Place place(Mark mark, std::string_view pointer) const;
  /// The pointer of a member; empty where places are lines.
  [[nodiscard]] std::string step(std::string_view pointer, std::string_view key) const;
  /// In the order of the file.
  std::vector<Problem> take();

 private:
  std::vector<std::string> files_;
  bool with_pointers_;
  std::vector<Problem> problems_;
};

/// One table being read. Asking for a key that has the wrong type is a problem in the report, and gives the fallback;
/// so does a null. Keys that are not in `known` are reported when the table is opened.
class Table {
 public:
  /// `label` begins each message: "vm 'test-vm'".
  Table(Report& report, const Entry& entry, std::string pointer, std::string label, Keys known);

  [[nodiscard]] const Node* find(std::string_view key) const;  ///< nullptr when it is missing or null
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  [[nodiscard]] Place place() const;
  [[nodiscard]] Place place(std::string_view key) const;  ///< of the value; of the table when it is missing
  [[nodiscard]] const std::string& label() const { return label_; }

  std::optional<std::string> text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  bool flag(std::string_view key, bool fallback) const;
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most) const;
  std::vector<std::string> texts(std::string_view key, std::vector<Place>* places = nullptr) const;

  template <class Choice>
  std::optional<Choice> choice(std::string_view key) const {
    const auto given = text(key);
    if (!given) return {};
    const auto value = choice_of<Choice>(*given);
    if (!value) not_one_of(key, *given, words<Choice>());
    return value;
  }
  /// A text that must be one of `allowed`.
  std::string word_or(std::string_view key, std::string_view fallback, Keys allowed) const;

  /// The table below `key`; an empty one when it is missing.
  [[nodiscard]] Table table(std::string_view key, std::string label, Keys known) const;
  /// The members of a table whose keys are names, in order: `visit(entry, pointer)`.
  void each(std::string_view key, const std::function<void(const Entry&, const std::string&)>& visit) const;
  /// The tables of a list: the elements as entries without a key.
  void each_element(std::string_view key, const std::function<void(const Entry&, const std::string&)>& visit) const;

  void problem(std::string_view key, Fault fault, std::string message, std::string hint = {}) const;
  [[nodiscard]] Report& report() const { return *report_; }

 private:
  void wrong_type(std::string_view key, std::string_view wanted, const Node& node) const;
  void not_one_of(std::string_view key, std::string_view given, Keys allowed) const;

  Report* report_;
  const Node::Object* members_ = nullptr;
  Mark mark_;
  std::string pointer_;
  std::string label_;
};

/// "did you mean 'x'?", or "it can be a, b or c" where none is near.
std::string hint_for(std::string_view word, Keys known, std::string_view what);

}  // namespace vmcred::declare
