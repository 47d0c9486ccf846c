#include "chain/newer.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "store/record.h"

namespace vmcred::chain {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::int64_t unix_ms(SystemTime time) { return duration_cast<milliseconds>(time.time_since_epoch()).count(); }

/// When a file was written; 0 when it is not there.
std::int64_t written_ms(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

/// When a stored value came to be; 0 when its record does not say.
std::int64_t born_ms(const store::Repository& repository, const store::VarId& id) {
  const auto record = store::read_record(repository, id.generator);
  if (!record || !*record) return 0;
  const auto time = store::born(**record, id.file);
  if (!time) return 0;
  // Records count whole seconds. One that lies here since that second says it more exactly.
  const std::int64_t born = unix_ms(*time);
  const std::int64_t written = written_ms(fmt::format(
      "{}/{}/{}", repository.folder(), store::Repository::generator_path(id.generator), store::kRecordName));
  return written / 1000 == born / 1000 ? written : born;
}

}  // namespace

std::vector<std::string> newer_than_taken(const declare::Declaration& declaration, const declare::Vm& vm,
                                          const store::Repository& repository, const std::string& activated,
                                          std::int64_t taken_unix_ms) {
  std::vector<std::string> newer;
  if (taken_unix_ms == 0) return newer;
  for (const declare::Credential& credential : vm.credentials) {
    std::int64_t since = 0;
    if (const auto* const path = std::get_if<std::string>(&credential.from)) since = written_ms(*path);
    if (const auto* const ref = std::get_if<declare::VarRef>(&credential.from)) {
      const auto id = store::resolve_for_vm(declaration, *ref, vm);
      if (!id) continue;
      since = born_ms(repository, *id);
      if (!activated.empty()) since = std::max(since, written_ms(join_path(activated, store::rel_path(*id))));
    }
    if (since > taken_unix_ms) newer.push_back(credential.host);
  }
  std::ranges::sort(newer);
  return newer;
}

}  // namespace vmcred::chain
