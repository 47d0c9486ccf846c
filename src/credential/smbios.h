// SMBIOS tables as bytes: entry points and structures (SMBIOS 3.6 §5.2, §6.1). Reads anything, trusts nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::credential {

inline constexpr std::size_t kMaxTable = 16 * 1024 * 1024;
inline constexpr std::uint8_t kOemStringsType = 11;

/// One structure, borrowed from the table that it stands in.
struct FoundStructure {
  std::uint8_t type = 0;
  std::uint8_t length = 0;  ///< of the formatted area, header included
  std::uint16_t handle = 0;
  std::uint8_t count = 0;  ///< type 11: what its own count says; systemd does not look at it
  std::size_t offset = 0;
  Bytes raw;                   ///< all of it, both NULs at the end included
  std::vector<Bytes> strings;  ///< as they stand there; the last may be cut when the structure is not complete
  bool complete = true;        ///< ended by two NULs
};

struct FoundTable {
  std::vector<FoundStructure> structures;
  std::string complaint = {};  ///< why reading stopped before the end; empty: it did not
  std::size_t missing = 0;     ///< structures that the entry point counts and the file does not hold
};

/// Reads structures until the end of the bytes, the end-of-table structure (type 127), `number` of them, or the first
/// that is broken.
FoundTable read_structures(Bytes table, std::optional<std::size_t> number = {});

struct EntryPoint {
  int major = 0;
  int minor = 0;
  std::uint64_t address = 0;
  std::size_t length = 0;                  ///< of the table; a maximum for 3.x
  std::optional<std::size_t> number = {};  ///< of structures; 2.x only
};

/// An `_SM3_`, `_SM_` or `_DMI_` anchor at the begin of `bytes`; a wrong checksum is `invalid_data`.
Result<EntryPoint> read_entry_point(Bytes bytes);
[[nodiscard]] bool has_entry_point(Bytes bytes);

/// The table that an entry point describes: also what it counts and `table` does not hold, and an end that is not
/// there.
FoundTable read_structures(Bytes table, const EntryPoint& entry_point);

/// What was recognised in a file.
struct FoundDump {
  std::optional<EntryPoint> entry_point = {};
  FoundTable table;
};

/// A file with a whole dump (`dmidecode --dump-bin`: an entry point, whose address counts from the begin of the file),
/// a table, or one structure. Neither is `invalid_data`.
Result<FoundDump> read_dump(Bytes file);

}  // namespace vmcred::credential
