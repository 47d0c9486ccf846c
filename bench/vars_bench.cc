// `vars list` and `vars check` on 1,000, 10,000 and 100,000 stored secrets, from start to exit, beside what a shell does with
// the same tree: `find` that only walks it, and `find` with `cat` that also reads every secret file.
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
  double memory[2] = {};
  std::vector<Series> all = {
      {"vars list", [&] { memory[0] = bench::run_quietly({program, "--project", folder, "vars", "list"}); }},
      {"vars check", [&] { memory[1] = bench::run_quietly({program, "--project", folder, "vars", "check"}); }},
      {"find", [&] { bench::run_quietly({"find", folder + "/vars", "-type", "f"}); }},
      {"find and cat", [&] { bench::run_quietly({"find", folder + "/vars", "-name", "secret", "-exec", "cat", "{}", "+"}); }},
  };
  bench::measure(all, rounds);
  fmt::print("{} machines x {} secrets, median of {} rounds:\n", machines, kSecrets, rounds);
  for (std::size_t i = 0; i < all.size(); ++i) {
    fmt::print("  {:13} {}", all[i].name, all[i].text());
    if (i < 2) fmt::print(", {:.1f} MiB; {:.2f} times '{}'", memory[i], all[i].median() / all[i + 2].median(), all[i + 2].name);
    if (i < 2 && judge) fmt::print(" (limits: {} ms, {} MiB)", kLimitMilliseconds, kLimitMebibytes);
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
