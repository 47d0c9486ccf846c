#include "credential/smbios.h"

#include <algorithm>
#include <numeric>

namespace vmcred::credential {
namespace {

constexpr std::size_t kHeaderSize = 4;
constexpr std::uint8_t kEndOfTable = 127;
constexpr std::size_t kMaxStructuresRead = 65536;

std::uint64_t little_endian(Bytes bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | bytes[at + i];
  return value;
}

bool begins(Bytes bytes, std::string_view anchor) {
  return text_of(bytes.first(std::min(bytes.size(), anchor.size()))) == anchor;
}

bool sums_to_zero(Bytes bytes) { return std::accumulate(bytes.begin(), bytes.end(), 0U) % 256 == 0; }

/// The string set after the formatted area: strings that each end with a NUL, then one more NUL (§6.1.3). Gives the
/// number of bytes that it takes.
std::size_t read_strings(Bytes rest, FoundStructure& structure) {
  std::size_t end = 0;
  while (end + 1 < rest.size() && (rest[end] != 0 || rest[end + 1] != 0)) ++end;
  structure.complete = end + 1 < rest.size();
  const std::size_t size = structure.complete ? end + 2 : rest.size();
  // Whoever reads the strings one by one stops at the first empty one.
  for (std::size_t at = 0; at < size && rest[at] != 0;) {
    const Bytes left = rest.first(size).subspan(at);
    const auto length = static_cast<std::size_t>(std::ranges::find(left, std::uint8_t{0}) - left.begin());
    structure.strings.push_back(left.first(length));
    at += length + 1;
  }
  return size;
}

Result<EntryPoint> read_64(Bytes bytes) {
  constexpr std::size_t kSize = 24;
  const std::size_t size = bytes.size() > 6 ? bytes[6] : 0;
  if (size < kSize || size > 32 || bytes.size() < size || !sums_to_zero(bytes.first(size))) {
    return fail(Errc::invalid_data, "the SMBIOS 3.x entry point is damaged");
  }
  return EntryPoint{.major = bytes[7],
                    .minor = bytes[8],
                    .address = little_endian(bytes, 16, 8),
                    .length = little_endian(bytes, 12, 4)};
}

Result<EntryPoint> read_legacy(Bytes bytes) {
  constexpr std::size_t kSize = 15;
  if (bytes.size() < kSize || !sums_to_zero(bytes.first(kSize))) {
    return fail(Errc::invalid_data, "the DMI entry point is damaged");
  }
  return EntryPoint{.major = bytes[14] >> 4,
                    .minor = bytes[14] & 0xf,
                    .address = little_endian(bytes, 8, 4),
                    .length = little_endian(bytes, 6, 2),
                    .number = little_endian(bytes, 12, 2)};
}

Result<EntryPoint> read_32(Bytes bytes) {
  constexpr std::size_t kSize = 31;
  const std::size_t size = bytes.size() > 5 ? bytes[5] : 0;
  // Some firmware says 30 (SMBIOS 2.1 had that error); the bytes are there all the same.
  if (bytes.size() < kSize || size < 30 || size > 32 || bytes.size() < size || !sums_to_zero(bytes.first(size)) ||
      !begins(bytes.subspan(16), "_DMI_")) {
    return fail(Errc::invalid_data, "the SMBIOS 2.x entry point is damaged");
  }
  TRY_LET(EntryPoint found, read_legacy(bytes.subspan(16, 15)));
  found.major = bytes[6];
  found.minor = bytes[7];
  return found;
}

/// Without an entry point: the first bytes of anything can look like the head of a structure, those of a program even
/// like the end of a table (0x7f, but with a length of its own). What follows then breaks off, and no OEM string is in
/// it.
bool is_table(const FoundTable& table) {
  if (table.structures.empty()) return false;
  const FoundStructure& last = table.structures.back();
  if (last.type == kEndOfTable) return last.length == kHeaderSize;
  return table.complaint.empty() || std::ranges::any_of(table.structures, [](const FoundStructure& structure) {
           return structure.type == kOemStringsType && structure.length > kHeaderSize;
         });
}

}  // namespace

FoundTable read_structures(Bytes table, std::optional<std::size_t> number) {
  FoundTable found;
  std::size_t at = 0;
  const std::size_t limit = std::min(number.value_or(kMaxStructuresRead), kMaxStructuresRead);
  while (at < table.size() && found.structures.size() < limit) {
    const Bytes rest = table.subspan(at);
    if (rest.size() < kHeaderSize || rest[1] < kHeaderSize || rest[1] > rest.size()) {
      if (std::ranges::any_of(rest, [](std::uint8_t byte) { return byte != 0; })) {
        found.complaint = fmt::format("no structure begins at byte {}", at);
      }
      return found;
    }
    FoundStructure structure = {.type = rest[0],
                                .length = rest[1],
                                .handle = static_cast<std::uint16_t>(little_endian(rest, 2, 2)),
                                .count = rest[1] > kHeaderSize ? rest[4] : std::uint8_t{0},
                                .offset = at,
                                .raw = {},
                                .strings = {}};
    const std::size_t strings = read_strings(rest.subspan(structure.length), structure);
    structure.raw = rest.first(structure.length + strings);
    at += structure.raw.size();
    found.structures.push_back(std::move(structure));
    if (!found.structures.back().complete) {
      found.complaint = fmt::format("the structure at byte {} has no end", found.structures.back().offset);
      return found;
    }
    if (found.structures.back().type == kEndOfTable) return found;
  }
  return found;
}

bool has_entry_point(Bytes bytes) { return begins(bytes, "_SM3_") || begins(bytes, "_SM_") || begins(bytes, "_DMI_"); }

Result<EntryPoint> read_entry_point(Bytes bytes) {
  if (begins(bytes, "_SM3_")) return read_64(bytes);
  if (begins(bytes, "_SM_")) return read_32(bytes);
  if (begins(bytes, "_DMI_")) return read_legacy(bytes);
  return fail(Errc::invalid_data, "there is no SMBIOS entry point");
}

FoundTable read_structures(Bytes bytes, const EntryPoint& entry_point) {
  const Bytes table = bytes.first(std::min(bytes.size(), entry_point.length));
  FoundTable read = read_structures(table, entry_point.number);
  const std::size_t found = read.structures.size();
  if (entry_point.number && found < *entry_point.number) read.missing = *entry_point.number - found;
  // The length of 3.x is the most that it can be; its table ends with a structure that says so.
  const bool ended = found > 0 && read.structures.back().type == kEndOfTable;
  if (table.size() < entry_point.length && read.complaint.empty() && (entry_point.number ? read.missing > 0 : !ended)) {
    read.complaint = "the table goes on beyond the end of the file";
  }
  return read;
}

Result<FoundDump> read_dump(Bytes file) {
  FoundDump dump;
  if (has_entry_point(file)) {
    TRY_LET(const EntryPoint entry_point, read_entry_point(file));
    dump.entry_point = entry_point;
    if (entry_point.address >= file.size()) {
      return fail(Errc::invalid_data, "the entry point is there, its table at {:#x} is not in this file",
                  entry_point.address);
    }
    dump.table = read_structures(file.subspan(entry_point.address), entry_point);
    return dump;
  }
  dump.table = read_structures(file);
  if (!is_table(dump.table)) {
    return fail(Errc::invalid_data, "neither an SMBIOS entry point, nor a table, nor a structure");
  }
  return dump;
}

}  // namespace vmcred::credential
