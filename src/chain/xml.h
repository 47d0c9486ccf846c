// XML of others as a tree, read by expat: entities, CDATA and namespaces as they are meant, with the place of each
// element.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vmcred::chain::xml {

inline constexpr std::size_t kMaxElements = 200'000;
inline constexpr int kMaxDepth = 200;

struct Element {
  std::string name;        ///< without its prefix
  std::string space = {};  ///< the namespace, or the prefix where none is declared for it
  std::vector<std::pair<std::string, std::string>> attributes = {};
  std::string text = {};  ///< directly in it
  std::vector<Element> children = {};
  int line = 0;
  int column = 0;

  [[nodiscard]] const std::string* attribute(std::string_view key) const;
  [[nodiscard]] const Element* child(std::string_view key) const;  ///< the first of that name
  [[nodiscard]] std::vector<const Element*> all(std::string_view key) const;
};

/// The root element. Nothing outside of the text is read: no DTD, no external entity.
Result<Element> read(std::string_view text);

}  // namespace vmcred::chain::xml
