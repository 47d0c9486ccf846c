#include "base/value_forms.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.h"

namespace vmcred {
namespace {

constexpr std::string_view kLower = "0123456789abcdef";
constexpr std::string_view kUpper = "0123456789ABCDEF";
/// The rarer forms are of the beginning of a large value: whoever shows it shows that too.
constexpr std::size_t kRareBytes = 64UL * 1024;

/// Text that is written once, into room that was made before.
class Writer {
 public:
  explicit Writer(std::size_t most) : text_(most) {}
  void put(char c) { text_.writable()[used_++] = static_cast<std::uint8_t>(c); }
  void put(std::string_view text) {
    for (const char c : text) put(c);
  }
  void hex(std::uint8_t byte, std::string_view digits) {
    put(digits[byte >> 4U]);
    put(digits[byte & 15U]);
  }
  Secret take() {
    text_.shrink_to(used_);
    return std::move(text_);
  }

 private:
  Secret text_;
  std::size_t used_ = 0;
};

Secret hex_of(Bytes value, std::string_view digits, std::string_view between = "") {
  Writer out(value.size() * (2 + between.size()));
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i > 0) out.put(between);
    out.hex(value[i], digits);
  }
  return out.take();
}

/// The characters of base64 that depend on `value` alone when `before` bytes stand before it in the group of three.
Secret base64_inside(Bytes value, std::size_t before) {
  Secret shifted(before + value.size());
  std::ranges::copy(value, shifted.writable().begin() + static_cast<std::ptrdiff_t>(before));
  const Secret text = base64_encode_secret(shifted.bytes(), Padding::without);
  const std::size_t first = before == 0 ? 0 : before + 1;
  const std::size_t whole = shifted.size() * 8 / 6;  // the last character may hold bits of what follows
  return Secret::copy_of(text.bytes().subspan(first, whole > first ? whole - first : 0));
}

/// The same for base32 (RFC 4648 §6) and its group of five.
Secret base32_inside(Bytes value, std::size_t before) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const std::size_t begin = before * 8;
  const std::size_t end = (before + value.size()) * 8;
  Writer out(end / 5 + 1);
  for (std::size_t bit = (begin + 4) / 5 * 5; bit + 5 <= end; bit += 5) {
    std::size_t five = 0;
    for (std::size_t i = bit; i < bit + 5; ++i)
      five = five << 1U | (static_cast<std::size_t>(value[i / 8 - before]) >> (7 - i % 8) & 1U);
    out.put(kAlphabet[five]);
  }
  return out.take();
}

Secret url_alphabet(const Secret& base64) {
  Secret text = base64.clone();
  for (std::uint8_t& byte : text.writable()) {
    if (byte == '+') byte = '-';
    if (byte == '/') byte = '_';
  }
  return text;
}

bool is_unreserved(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

enum class Space : std::uint8_t { escaped, plus };
Secret url_of(Bytes value, std::string_view digits, bool all, Space space = Space::escaped) {
  Writer out(value.size() * 3);
  for (const std::uint8_t byte : value) {
    if (!all && is_unreserved(byte)) {
      out.put(static_cast<char>(byte));
    } else if (byte == ' ' && space == Space::plus) {
      out.put('+');
    } else {
      out.put('%');
      out.hex(byte, digits);
    }
  }
  return out.take();
}

enum class Slashes : std::uint8_t { plain, escaped };
Secret json_of(Bytes value, Slashes slashes) {
  constexpr std::array<std::pair<char, char>, 7> kShort = {
      {{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\b', 'b'}, {'\f', 'f'}}};
  Writer out(value.size() * 6);
  for (const std::uint8_t byte : value) {
    const auto* const escape = std::ranges::find(kShort, static_cast<char>(byte), &std::pair<char, char>::first);
    if (escape != kShort.end()) {
      out.put('\\');
      out.put(escape->second);
    } else if (byte == '/' && slashes == Slashes::escaped) {
      out.put("\\/");
    } else if (byte < 0x20) {
      out.put("\\u00");
      out.hex(byte, kLower);
    } else {
      out.put(static_cast<char>(byte));
    }
  }
  return out.take();
}

}  // namespace

std::vector<ValueForm> forms_of(Bytes value) {
  std::vector<ValueForm> forms;
  const auto add = [&forms](std::string_view encoding, Secret text) {
    const auto same = [&text](const ValueForm& form) { return form.text.text() == text.text(); };
    if (text.size() > 0 && std::ranges::none_of(forms, same)) forms.push_back({encoding, std::move(text)});
  };
  add("raw", Secret::copy_of(value));
  for (const std::string_view digits : {kLower, kUpper}) add("hex", hex_of(value, digits));
  const auto add_base64 = [&add](Secret text) {
    add("base64", url_alphabet(text));
    add("base64", std::move(text));
  };
  for (std::size_t before = 0; before < 3; ++before) add_base64(base64_inside(value, before));
  add_base64(base64_encode_secret(value));
  const Bytes head = value.first(std::min(value.size(), kRareBytes));
  for (const std::string_view between : {":", " "})
    for (const std::string_view digits : {kLower, kUpper}) add("hex", hex_of(head, digits, between));
  for (std::size_t before = 0; before < 5; ++before) add("base32", base32_inside(head, before));
  for (const std::string_view digits : {kUpper, kLower}) {
    add("url", url_of(head, digits, false));
    add("url", url_of(head, digits, false, Space::plus));
    add("url", url_of(head, digits, true));
  }
  for (const Slashes slashes : {Slashes::plain, Slashes::escaped}) add("json", json_of(head, slashes));
  return forms;
}

}  // namespace vmcred
