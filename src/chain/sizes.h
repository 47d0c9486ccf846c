// How large the secrets of a vm are, from wherever that can be known without a key.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "declare/model.h"
#include "store/layout.h"
#include "store/repository.h"

namespace vmcred::chain {

/// Bytes of a regular file; empty when there is none.
std::optional<std::size_t> size_of_file(const std::string& path);

/// Remembers what it was asked before: many vms share their vars.
class Sizes {
 public:
  /// `repository` may be null: then only activated values are known. `activated` is the folder of the activated vars,
  /// "" when they do not count.
  explicit Sizes(const store::Repository* repository, std::string activated = {})
      : repository_(repository), activated_(std::move(activated)) {}

  /// Bytes of a stored value, else of its activated copy.
  std::optional<std::size_t> of(const store::VarId& id);

  /// Bytes by host name, as credential::make_plan takes them. What cannot be known is left out. Absolute sources are
  /// looked at on this machine.
  std::map<std::string, std::size_t> of(const declare::Declaration& declaration, const declare::Vm& vm);

 private:
  const store::Repository* repository_;
  std::string activated_;
  std::map<store::VarId, std::optional<std::size_t>> known_ = {};
};

}  // namespace vmcred::chain
