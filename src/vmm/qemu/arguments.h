// QEMU's argument vector as it grows: options with `key=value` lists whose commas are doubled.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcred::vmm::qemu {

/// "a,b" -> "a,,b": QEMU's way to say a comma inside a value.
std::string comma_doubled(std::string_view value);

class Arguments {
 public:
  explicit Arguments(std::string program) : words_{std::move(program)} {}
  /// `-name`
  void flag(std::string_view name) { words_.push_back("-" + std::string(name)); }
  /// `-name value`, the value as it is.
  void option(std::string_view name, std::string value) {
    flag(name);
    words_.push_back(std::move(value));
  }
  using Property = std::pair<std::string_view, std::string>;
  /// `-name kind,key=value,…`; an empty kind is left out, and so are properties without a value.
  void option(std::string_view name, std::string_view kind, std::initializer_list<Property> properties);
  /// Words of the user's, as they are.
  void append(const std::vector<std::string>& words) { words_.insert(words_.end(), words.begin(), words.end()); }
  std::vector<std::string> take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

}  // namespace vmcred::vmm::qemu
