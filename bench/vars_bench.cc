// `vars list` and `vars check` on 1,000, 10,000 and 100,000 stored secrets, from start to exit, beside what a shell
// does with the same tree: `find` that only walks it, and `find` with `cat` that also reads every secret file. `vars
// check` once as it runs the first time, with no cache, and once as it runs from then on.
// links: vmcred_store

#include "store_project.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::Series;

constexpr std::size_t kSecrets = 10;  // a machine
constexpr double kLimitMilliseconds = 100;
constexpr double kLimitMebibytes = 100;

void compare(std::size_t machines, std::size_t rounds, bool judge) {
  const bench::StoreProject project(machines, kSecrets);
  const std::string& folder = project.folder.path();
  const std::string program = bench::program();
  double memory[3] = {};
  const TemporaryFolder cache = bench::must(TemporaryFolder::make());
  const std::string variable = "XDG_CACHE_HOME=" + cache.path();
  std::vector<Series> all = {
      {"vars list", [&] { memory[0] = bench::run_quietly({program, "--project", folder, "vars", "list"}); }},
      {"first check", [&] { memory[1] = bench::run_quietly({program, "--project", folder, "vars", "check"}); }},
      {"vars check",
       [&] { memory[2] = bench::run_quietly({program, "--project", folder, "vars", "check"}, 0, {variable}); }},
      {"find", [&] { bench::run_quietly({"find", folder + "/vars", "-type", "f"}); }},
      {"find and cat",
       [&] { bench::run_quietly({"find", folder + "/vars", "-name", "secret", "-exec", "cat", "{}", "+"}); }},
  };
  bench::measure(all, rounds);
  fmt::print("{} machines x {} secrets, median of {} rounds:\n", machines, kSecrets, rounds);
  for (std::size_t i = 0; i < all.size(); ++i) {
    fmt::print("  {:13} {}", all[i].name, all[i].text());
    const Series& peer = all[i == 0 ? 3 : 4];
    if (i < 3) fmt::print(", {:.1f} MiB; {:.2f} times '{}'", memory[i], all[i].median() / peer.median(), peer.name);
    if (i < 3 && judge) fmt::print(" (limits: {} ms, {} MiB)", kLimitMilliseconds, kLimitMebibytes);
    fmt::print("\n");
  }
}

}  // namespace

int main() {
  compare(100, 11, false);
  compare(1'000, 11, true);
  compare(10'000, 3, false);
  return 0;
}
