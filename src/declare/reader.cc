#include "declare/reader.h"

#include <algorithm>

#include "base/spelling.h"

namespace vmcred::declare {
namespace {

const std::string kNoKey;

std::string prefixed(const std::string& label, std::string message) {
  return label.empty() ? message : fmt::format("{}: {}", label, message);
}

}  // namespace

void Report::add(Fault fault, Place place, std::string message, std::string hint) {
  problems_.push_back({fault, std::move(place), std::move(message), std::move(hint)});
}

Place Report::place(Mark mark, std::string_view pointer) const {
  return {.file = files_.at(mark.file), .line = mark.line, .column = mark.column, .pointer = std::string(pointer)};
}

std::string Report::step(std::string_view pointer, std::string_view key) const {
  return with_pointers_ ? pointer_step(pointer, key) : std::string();
}

std::vector<Problem> Report::take() {
  std::ranges::stable_sort(problems_, [](const Problem& a, const Problem& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  return std::move(problems_);
}

std::string hint_for(std::string_view word, Keys known, std::string_view what) {
  std::string hint = did_you_mean(word, {known.begin(), known.end()});
  if (!hint.empty()) return hint;
  hint = what;
  const std::string_view last = what.ends_with(" be") ? " or " : " and ";
  for (std::size_t i = 0; i < known.size(); ++i) {
    hint += i == 0 ? " " : i + 1 == known.size() ? last : ", ";
    hint += known[i];
  }
  return hint;
}

Table::Table(Report& report, const Entry& entry, std::string pointer, std::string label, Keys known)
    : report_(&report), mark_(entry.mark), pointer_(std::move(pointer)), label_(std::move(label)) {
  if (entry.node.is_null()) return;
  members_ = entry.node.if_object();
  if (members_ == nullptr) {
    report.add(
        Fault::wrong_type, place(),
        fmt::format("{} must be a table, not {}", label_.empty() ? "the declaration" : label_, kind_of(entry.node)));
    return;
  }
  for (const Member& each : *members_) {
    if (std::ranges::find(known, each.key) != known.end()) continue;
    report.add(Fault::unknown_key, report.place(each.mark, report.step(pointer_, each.key)),
               prefixed(label_, fmt::format("unknown key '{}'", each.key)),
               hint_for(each.key, known, "known keys are"));
  }
}

const Node* Table::find(std::string_view key) const {
  if (members_ == nullptr) return nullptr;
  for (const Member& member : *members_)
    if (member.key == key) return member.node.is_null() ? nullptr : &member.node;
  return nullptr;
}

Place Table::place() const { return report_->place(mark_, pointer_); }

Place Table::place(std::string_view key) const {
  const Node* node = find(key);
  return node == nullptr ? place() : report_->place(node->mark, report_->step(pointer_, key));
}

void Table::problem(std::string_view key, Fault fault, std::string message, std::string hint) const {
  report_->add(fault, place(key), prefixed(label_, std::move(message)), std::move(hint));
}

void Table::wrong_type(std::string_view key, std::string_view wanted, const Node& node) const {
  problem(key, Fault::wrong_type, fmt::format("'{}' must be {}, not {}", key, wanted, kind_of(node)));
}

void Table::not_one_of(std::string_view key, std::string_view given, Keys allowed) const {
  problem(key, Fault::bad_value, fmt::format("'{}' cannot be '{}'", key, given), hint_for(given, allowed, "it can be"));
}

std::optional<std::string> Table::text(std::string_view key) const {
  const Node* node = find(key);
  if (node == nullptr) return {};
  if (const auto* value = node->if_text()) return *value;
  wrong_type(key, "a string", *node);
  return {};
}

std::string Table::text_or(std::string_view key, std::string_view fallback) const {
  return text(key).value_or(std::string(fallback));
}

bool Table::flag(std::string_view key, bool fallback) const {
  const Node* node = find(key);
  if (node == nullptr) return fallback;
  if (const auto* value = node->if_bool()) return *value;
  wrong_type(key, "true or false", *node);
  return fallback;
}

std::optional<std::int64_t> Table::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
  const Node* node = find(key);
  if (node == nullptr) return {};
  const auto* value = node->if_integer();
  if (value == nullptr) {
    wrong_type(key, "an integer", *node);
    return {};
  }
  if (*value < least || *value > most) {
    problem(key, Fault::bad_value, fmt::format("'{}' is {}, outside {} to {}", key, *value, least, most));
    return {};
  }
  return *value;
}

std::vector<std::string> Table::texts(std::string_view key, std::vector<Place>* places) const {
  std::vector<std::string> all;
  const Node* node = find(key);
  if (node == nullptr) return all;
  const auto* array = node->if_array();
  if (array == nullptr) {
    wrong_type(key, "a list of strings", *node);
    return all;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const Node& element = (*array)[i];
    Place at = report_->place(element.mark, report_->step(report_->step(pointer_, key), std::to_string(i)));
    if (const auto* value = element.if_text()) {
      all.push_back(*value);
      if (places != nullptr) places->push_back(std::move(at));
    } else {
      report_->add(Fault::wrong_type, std::move(at),
                   prefixed(label_, fmt::format("'{}' must hold strings, not {}", key, kind_of(element))));
    }
  }
  return all;
}

std::string Table::word_or(std::string_view key, std::string_view fallback, Keys allowed) const {
  std::string given = text_or(key, fallback);
  if (std::ranges::find(allowed, given) != allowed.end()) return given;
  not_one_of(key, given, allowed);
  return std::string(fallback);
}

Table Table::table(std::string_view key, std::string label, Keys known) const {
  static const Node nothing;
  if (members_ != nullptr) {
    for (const Member& member : *members_)
      if (member.key == key)
        return {
            *report_, {member.key, member.mark, member.node}, report_->step(pointer_, key), std::move(label), known};
  }
  return {*report_, {kNoKey, mark_, nothing}, report_->step(pointer_, key), std::move(label), known};
}

void Table::each(std::string_view key, const std::function<void(const Entry&, const std::string&)>& visit) const {
  const Node* node = find(key);
  if (node == nullptr) return;
  const auto* object = node->if_object();
  if (object == nullptr) return wrong_type(key, "a table", *node);
  const std::string pointer = report_->step(pointer_, key);
  for (const Member& member : *object)
    visit({member.key, member.mark, member.node}, report_->step(pointer, member.key));
}

void Table::each_element(std::string_view key,
                         const std::function<void(const Entry&, const std::string&)>& visit) const {
  const Node* node = find(key);
  if (node == nullptr) return;
  const auto* array = node->if_array();
  if (array == nullptr) return wrong_type(key, "a list of tables", *node);
  const std::string pointer = report_->step(pointer_, key);
  for (std::size_t i = 0; i < array->size(); ++i)
    visit({kNoKey, (*array)[i].mark, (*array)[i]}, report_->step(pointer, std::to_string(i)));
}

}  // namespace vmcred::declare
