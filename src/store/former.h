// GEN/.vmcred.former: who could read a value and may not any more. It is bound to the value, so that it ends when the
// value changes, whoever changes it; the signature of the generator's folder is over it, too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/repository.h"

namespace vmcred::store {

inline constexpr std::string_view kFormerName = ".vmcred.former";

/// Of one file of a generator.
struct FormerReaders {
  std::string digest;                        ///< value_digest of the value that they could read
  std::map<std::string, std::string> until;  ///< "user bob": "2026-11-30"
  bool operator==(const FormerReaders&) const = default;
};
/// By file.
using Former = std::map<std::string, FormerReaders>;

Result<Former> parse_former(std::string_view text);
std::string print_former(const Former& former);

/// What is on disk; empty where there is nothing. A damaged file is an error.
Result<Former> read_former(const GeneratorFolder& folder);

/// Who could read the present value of `file` until when, by name; empty where nobody lost it, or the value is another
/// one now.
Result<std::map<std::string, std::string>> former_readers(const GeneratorFolder& folder, const std::string& file);
/// "readable by bob until 2026-11-30: rotate"; "" for nobody.
std::string former_text(const std::map<std::string, std::string>& until);

/// What changing a secret's readers does to its entry.
struct AccessChange {
  std::string file;
  std::string digest_before;
  std::string digest_after;
  std::vector<std::string> lost = {};      ///< "user bob"
  std::vector<std::string> regained = {};  ///< names that may read it (again)
  SystemTime now = {};
};
void note_access(Former& former, const AccessChange& change);

}  // namespace vmcred::store
