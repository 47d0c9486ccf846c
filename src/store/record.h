// GEN/.vmcred.json: from what a generator's values were made, so that a later change can be told. It holds digests of
// what is public anyway; a dependency enters by the digest of its ciphertext, a prompt's answer never.
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

inline constexpr std::string_view kRecordName = ".vmcred.json";

struct Record {
  std::string script;                                    ///< SHA-256 of its text, hex
  std::vector<std::string> runtime_inputs = {};          ///< as declared
  std::map<std::string, Form> files = {};                ///< the declared files
  std::map<std::string, std::string> dependencies = {};  ///< "shared/base/key": value_digest of what was read
  std::string generated;                                 ///< RFC 3339: when the values were made
  std::map<std::string, std::string> set_by_hand = {};   ///< file: when, for `vars set` and `vars import`
  std::map<std::string, std::string> renewed = {};       ///< file: when, for those made later than the others
  bool operator==(const Record&) const = default;
};

Result<Record> parse_record(std::string_view text);
std::string print_record(const Record& record);

/// When the value of `file` came to be, however it did. `invalid_data`: the record does not say.
Result<SystemTime> born(const Record& record, const std::string& file);

/// What is on disk; empty when there is none (a repository that clan wrote). A damaged one is an error.
Result<std::optional<Record>> read_record(const GeneratorFolder& folder);
Result<std::optional<Record>> read_record(const Repository& repository, const GeneratorId& id);

/// By which a value enters the records of those who depend on it: the SHA-256 of a secret's ENC text, or of an open
/// value. It stays the same when only the recipients change.
Result<std::string> value_digest(Form form, std::string_view stored);

}  // namespace vmcred::store
