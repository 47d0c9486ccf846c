// How a text is taken apart: words, lists in words, names and values in lists, and what each value is judged by.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "shape/secret_shape.h"

namespace vmcred::shape {

/// What the whole text says about its parts.
struct Whole {
  std::string_view text;
  bool digests = false;    ///< it names an algorithm of hashes: "SHA256 (disk.img) = …"
  bool encrypted = false;  ///< QEMU's secret objects with keyid= hold an encrypted value
};

/// Suspects in their order; one that overlaps an earlier one is left out.
class Suspects {
 public:
  explicit Suspects(std::string_view text) : text_(text) {}
  void add(std::size_t begin, std::size_t bytes, std::string_view what);
  void add(std::string_view part, std::string_view what) {
    add(static_cast<std::size_t>(part.data() - text_.data()), part.size(), what);
  }
  /// A part that is known to be public.
  void leave_out(std::size_t begin, std::size_t bytes) { left_out_.push_back({begin, bytes, {}}); }
  [[nodiscard]] bool known(std::size_t begin, std::size_t bytes) const;
  [[nodiscard]] bool none() const { return all_.empty(); }
  [[nodiscard]] std::vector<Suspect> sorted() &&;

 private:
  std::string_view text_;
  std::vector<Suspect> all_ = {};
  std::vector<Suspect> left_out_ = {};
};

/// The words of `text`, which is called `name`.
void walk_words(const Whole& whole, std::string_view text, std::string_view name, Suspects& suspects);

/// One value without lists in it. `alone`: it is the whole text.
void judge_value(const Whole& whole, std::string_view value, std::string_view name, bool alone, Suspects& suspects);

inline constexpr std::string_view kNameSaysSo = "its name says so";

}  // namespace vmcred::shape
