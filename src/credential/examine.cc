#include "credential/examine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/base64.h"
#include "credential/limits.h"
#include "credential/oem_string.h"
#include "declare/names.h"

namespace vmcred::credential {
namespace {

constexpr std::uint8_t kSystemdLength = 5;

/// What systemd's unbase64mem() takes: white space anywhere, padding required, the standard alphabet.
std::optional<Secret> decode(std::string_view text) {
  Secret compact(text.size());
  std::size_t used = 0;
  for (const char c : text) {
    if (std::string_view(" \t\r\n").contains(c)) continue;
    compact.writable()[used++] = static_cast<std::uint8_t>(c);
  }
  compact.shrink_to(used);
  auto decoded = base64_decode_secret(compact.text());
  if (!decoded) return std::nullopt;
  return std::move(*decoded);
}

/// The guest while it imports: what it has already, and how much.
struct Guest {
  std::set<std::string, std::less<>> names = {};
  std::size_t bytes = 0;
  bool stopped = false;  ///< a broken header ends the import from SMBIOS
};

struct Judgement {
  Fate fate = Fate::imported;
  std::string why = {};
};

Judgement import_value(Guest& guest, std::string_view name, std::size_t size) {
  if (!declare::valid_credential_name(name)) return {Fate::skipped, "its name is not valid"};
  if (guest.names.contains(name)) return {Fate::skipped, "a credential of this name came before"};
  if (size > kMaxCredential) return {Fate::skipped, fmt::format("it is larger than {} bytes", kMaxCredential)};
  if (guest.bytes + size > kMaxCredentials) {
    return {Fate::skipped, fmt::format("with it all credentials are larger than {} bytes", kMaxCredentials)};
  }
  guest.names.emplace(name);
  guest.bytes += size;
  return {};
}

/// systemd's view of one string, of which it reads `visible` bytes.
Judgement judge(Guest& guest, std::string_view whole, std::size_t visible) {
  const bool cut = visible < whole.size();
  const std::string_view text = whole.substr(0, visible);
  if (!has_credential_prefix(text)) {
    return cut ? Judgement{Fate::unseen, "only its begin is in the first page of the structure"}
               : Judgement{Fate::ignored, {}};
  }
  const auto credential = read_credential_string(text);
  if (!credential) return {Fate::skipped, "it has no '='"};
  std::size_t size = credential->value.size();
  if (credential->form == Form::binary) {
    const auto decoded = decode(credential->value);
    if (!decoded) {
      return {Fate::skipped,
              cut ? "its end is cut off, and what is left is no base64" : "its value is no padded base64"};
    }
    size = decoded->size();
  }
  Judgement judgement = import_value(guest, credential->name, size);
  if (cut && judgement.fate == Fate::imported) {
    judgement = {Fate::truncated, fmt::format("only its first {} bytes arrive, as if it were whole", size)};
  }
  return judgement;
}

void describe(SeenString& seen) {
  const auto credential = read_credential_string(text_of(seen.text));
  if (!credential) return;
  seen.kind = credential->form == Form::text ? Kind::text : Kind::binary;
  seen.name = printable(credential->name);
  if (credential->form == Form::text) {
    seen.size = credential->value.size();
  } else if (const auto decoded = decode(credential->value)) {
    seen.size = decoded->size();
  }
}

}  // namespace

std::string_view fate_name(Fate fate) {
  static constexpr std::array<std::string_view, 5> kNames = {"imported", "truncated", "skipped", "unseen", "ignored"};
  return kNames.at(static_cast<std::size_t>(fate));
}

std::vector<SeenString> examine(std::span<const FoundStructure> structures, int version) {
  std::vector<SeenString> found;
  Guest guest;
  std::size_t index = 0;
  for (const FoundStructure& structure : structures) {
    if (structure.type != kOemStringsType) continue;
    if (structure.length != kSystemdLength) guest.stopped = true;
    const std::size_t page = version < kFirstWithWholeStructures ? kPageStructure : structure.raw.size();
    std::size_t number = 0;
    std::size_t at = structure.length;
    for (const Bytes text : structure.strings) {
      SeenString seen = {.structure = index, .handle = structure.handle, .number = ++number, .text = text};
      describe(seen);
      if (guest.stopped) {
        seen.fate = Fate::unseen;
        seen.why = "a type 11 structure with a header of another length ends the import";
      } else if (at >= page) {
        seen.fate = Fate::unseen;
        seen.why = fmt::format("systemd {} reads only the first {} bytes of a structure", version, kPageStructure);
      } else {
        const Judgement judgement = judge(guest, text_of(text), std::min(text.size(), page - at));
        seen.fate = judgement.fate;
        seen.why = judgement.why;
      }
      at += text.size() + 1;
      found.push_back(std::move(seen));
    }
    ++index;
  }
  return found;
}

std::vector<SeenItem> examine_items(std::vector<std::pair<std::string, std::size_t>> items) {
  std::ranges::sort(items);
  std::vector<SeenItem> found;
  Guest guest;
  for (const auto& [name, size] : items) {
    Judgement judgement = name.starts_with('.') ? Judgement{Fate::skipped, "systemd skips names with a dot in front"}
                                                : import_value(guest, name, size);
    found.push_back({.name = name, .size = size, .fate = judgement.fate, .why = std::move(judgement.why)});
  }
  return found;
}

std::optional<Secret> value_in(const SeenString& seen) {
  const auto credential = read_credential_string(text_of(seen.text));
  if (!credential) return std::nullopt;
  if (credential->form == Form::text) return Secret::copy_of(credential->value);
  return decode(credential->value);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

}  // namespace vmcred::credential
