#include "vmm/qemu/arguments.h"

namespace vmcred::vmm::qemu {

std::string comma_doubled(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char c : value) {
    out += c;
    if (c == ',') out += c;
  }
  return out;
}

void Arguments::option(std::string_view name, std::string_view kind, std::initializer_list<Property> properties) {
  std::string value(kind);
  for (const auto& [key, text] : properties) {
    if (text.empty()) continue;
    if (!value.empty()) value += ',';
    value += key;
    value += '=';
    value += comma_doubled(text);
  }
  option(name, std::move(value));
}

}  // namespace vmcred::vmm::qemu
