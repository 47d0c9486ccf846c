#include "inspect_text.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace vmcred::app {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// Structures as they are written, into a buffer that is large enough for all.
class Writer {
 public:
  explicit Writer(std::size_t most) : bytes_(most) {}
  void begin() {
    end();
    start_ = used_;
    for (const int byte : {11, 5, handle_++, 0, 0}) add(static_cast<std::uint8_t>(byte));
    open_ = true;
  }
  void text(std::string_view string) {
    if (!open_ || string.empty()) return;
    for (const char c : string) add(static_cast<std::uint8_t>(c));
    add(0);
    ++bytes_.writable()[start_ + 4];
  }
  void end() {
    if (!open_) return;
    if (bytes_.bytes()[start_ + 4] == 0) add(0);
    add(0);
    open_ = false;
  }
  Secret take() && {
    end();
    bytes_.shrink_to(used_);
    return std::move(bytes_);
  }

 private:
  void add(std::uint8_t byte) {
    if (used_ < bytes_.size()) bytes_.writable()[used_++] = byte;
  }
  Secret bytes_;
  std::size_t used_ = 0;
  std::size_t start_ = 0;
  int handle_ = 0;
  bool open_ = false;
};

}  // namespace

bool is_dmidecode_text(std::string_view text) { return text.starts_with("# dmidecode") || (text.starts_with("Handle 0x") && text.contains("DMI type")); }

Secret read_dmidecode_text(std::string_view text) {
  Writer writer(text.size() + 64);  // each line of the text is longer than what it stands for
  bool strings = false;
  while (!text.empty()) {
    const std::string_view raw = take_until(text, '\n');
    if (raw.starts_with("Handle 0x")) {
      strings = raw.contains("DMI type 11,");
      if (strings) writer.begin();
      continue;
    }
    const std::size_t colon = raw.find(": ");
    const std::string_view line = trimmed(raw);
    if (strings && line.starts_with("String ") && colon != std::string_view::npos) {
      std::string_view value = raw.substr(colon + 2);
      if (value.ends_with('\r')) value.remove_suffix(1);
      writer.text(value);
    }
  }
  return std::move(writer).take();
}

bool is_credential_list(std::string_view text) {
  const std::string_view begin = trimmed(text);
  return begin.starts_with('[') && begin.ends_with(']') && (begin.contains("\"name\"") || trimmed(begin.substr(1)) == "]");
}

Result<std::vector<std::pair<std::string, std::string>>> read_credential_list(std::string_view text) {
  TRY_LET(const Json list, parse_json(text));
  std::vector<std::pair<std::string, std::string>> all;
  const Json::Array* entries = list.if_array();
  if (entries == nullptr) return fail(Errc::invalid_data, "it is no list of credentials");
  for (const Json& each : *entries) {
    const Json* size = each.find("size");
    const std::int64_t* number = size == nullptr ? nullptr : size->if_integer();
    if (each.string_at("name").empty()) return fail(Errc::invalid_data, "it is no list of credentials: an entry has no name");
    all.emplace_back(each.string_at("name"), number == nullptr ? each.string_at("size") : std::to_string(*number));
  }
  return all;
}

}  // namespace vmcred::app
