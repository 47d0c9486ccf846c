#include "credential/listing.h"

#include <charconv>

#include "base/json.h"
#include "base/text.h"

namespace vmcred::credential {
namespace {

using Listed = std::vector<std::pair<std::string, std::string>>;

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
    strings_ = 0;
    in_string_ = false;
    open_ = true;
  }
  void text(std::string_view string, bool whole) {
    if (!open_ || string.empty()) return;
    if (in_string_) byte(0);
    for (const char c : string) add(static_cast<std::uint8_t>(c));
    bytes_.writable()[start_ + 4] = static_cast<std::uint8_t>(++strings_);
    if (whole) add(0);
  }
  /// One byte of a string, whose end is a zero.
  void byte(std::uint8_t byte) {
    if (!open_ || (byte == 0 && !in_string_)) return;
    if (!in_string_) bytes_.writable()[start_ + 4] = static_cast<std::uint8_t>(++strings_);
    in_string_ = byte != 0;
    add(byte);
  }
  /// The structure stays without an end.
  void stop() { open_ = false; }
  void end() {
    if (!open_) return;
    if (strings_ == 0 || in_string_) add(0);
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
  std::size_t strings_ = 0;
  int handle_ = 0;
  bool open_ = false;
  bool in_string_ = false;
};

/// The bytes of a line of `dmidecode --dump`: "\t\t69 6F 2E 00"; false for what is none.
template <class Take>
bool take_hex(std::string_view line, Take take) {
  if (line.size() % 3 != 2) return false;
  for (std::size_t i = 0; i < line.size(); ++i)
    if (i % 3 == 2 ? line[i] != ' ' : !std::string_view("0123456789ABCDEFabcdef").contains(line[i])) return false;
  for (std::size_t i = 0; i < line.size(); i += 3) {
    unsigned value = 0;
    std::from_chars(line.data() + i, line.data() + i + 2, value, 16);
    take(static_cast<std::uint8_t>(value));
  }
  return true;
}

constexpr std::string_view kTitle = "OEM Strings";
constexpr std::string_view kAlone = "io.systemd.cred";  // what --oem-string prints begins with, where it is of interest

/// Where the columns of systemd-creds' table begin; it has none otherwise.
bool is_table_head(std::string_view line) {
  return line.starts_with("NAME ") && line.contains(" SECURE ") && line.contains("SIZE");
}

Listed read_table(std::string_view text) {
  Listed all;
  const std::string_view head = take_until(text, '\n');
  const std::size_t column = head.find("SECURE");
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (line.size() <= column) continue;
    const std::string_view name = trimmed(line.substr(0, column));
    std::string_view rest = trimmed(line.substr(column));
    const std::string_view secure = take_until(rest, ' ');
    rest = trimmed(rest);
    if (!name.empty() && !secure.empty() && !rest.empty()) all.emplace_back(name, take_until(rest, ' '));
  }
  return all;
}

}  // namespace

bool is_dmidecode_text(std::string_view text) {
  const std::string_view begin = trimmed(text);
  const bool shows = begin.contains("DMI type") || begin.contains(kTitle);
  if (begin.starts_with("# dmidecode") ||
      ((begin.starts_with("Handle 0x") || begin.starts_with("Getting SMBIOS data") || begin.starts_with("SMBIOS ")) &&
       shows))
    return true;
  if (begin.starts_with(kAlone)) return true;
  // --quiet has no first lines.
  for (std::size_t at = begin.find(kTitle); at != std::string_view::npos; at = begin.find(kTitle, at + 1)) {
    std::string_view after = begin.substr(at + kTitle.size());
    if (after.starts_with('\r')) after.remove_prefix(1);
    if ((at == 0 || begin[at - 1] == '\n') && after.starts_with("\n\tString 1: ")) return true;
  }
  return false;
}

DmidecodeText read_dmidecode_text(std::string_view text) {
  DmidecodeText read;
  Writer writer(text.size() + 64);  // each line of the text is longer than what it stands for
  if (trimmed(text).starts_with(kAlone)) {
    writer.begin();
    while (!text.empty()) writer.text(trimmed(take_until(text, '\n')), true);
    read.table = std::move(writer).take();
    return read;
  }
  bool strings = false;
  bool headed = false;  // the line before said of what type the structure is
  bool hex = false;     // below "Strings:" of --dump
  bool ended = false;   // there a string ended in the line before, and stands here as text
  while (!text.empty()) {
    const bool last = !text.contains('\n');
    const std::string_view raw = take_until(text, '\n');
    const std::string_view line = trimmed(raw);
    if (raw.starts_with("Handle 0x")) {
      headed = true;
      hex = false;
      strings = raw.contains("DMI type 11,");
      if (strings) writer.begin();
      continue;
    }
    if (line == kTitle && !headed) {  // of --quiet
      strings = true;
      writer.begin();
    } else if (!headed && !raw.starts_with('\t') && !raw.starts_with(' ')) {
      strings = false;
    }
    headed = false;
    if (!strings) continue;
    const std::size_t colon = raw.find(": ");
    if (line.starts_with("String ") && colon != std::string_view::npos) {
      std::string_view value = raw.substr(colon + 2);
      if (value.ends_with('\r')) value.remove_suffix(1);
      writer.text(value, !last);
    } else if (line == "Strings:") {
      hex = true;
      ended = false;
    } else if (hex && !ended) {
      take_hex(line, [&](std::uint8_t byte) {
        writer.byte(byte);
        ended = byte == 0;
      });
    } else {
      ended = false;
    }
    if (!last) continue;
    writer.stop();
    read.cut = true;
  }
  read.table = std::move(writer).take();
  return read;
}

bool is_credential_list(std::string_view text) {
  const std::string_view begin = trimmed(text);
  if (is_table_head(begin.substr(0, begin.find('\n')))) return true;
  return begin.starts_with('[') && (begin.contains("\"name\"") || trimmed(begin.substr(1)) == "]");
}

Result<Listed> read_credential_list(std::string_view text) {
  if (!trimmed(text).starts_with('[')) return read_table(trimmed(text));
  TRY_LET(const Json list, parse_json(text));
  Listed all;
  const Json::Array* entries = list.if_array();
  if (entries == nullptr) return fail(Errc::invalid_data, "it is no list of credentials");
  for (const Json& each : *entries) {
    const Json* size = each.find("size");
    const std::int64_t* number = size == nullptr ? nullptr : size->if_integer();
    if (each.string_at("name").empty())
      return fail(Errc::invalid_data, "it is no list of credentials: an entry has no name");
    all.emplace_back(each.string_at("name"), number == nullptr ? each.string_at("size") : std::to_string(*number));
  }
  return all;
}

}  // namespace vmcred::credential
