// 1,000 secrets given to one more reader, and taken from one: `vars fix` after a key was added and removed, beside `age
// -d` and `age -e` of every value, which is what it takes without data keys. Says whether payloads were kept.
// links: vmcred_store

#include "age/age.h"
#include "sops/sops.h"
#include "store_project.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::Series;

constexpr std::size_t kSecrets = 1000;
constexpr std::size_t kProcesses = 50;  // of `age`, a round; scaled to kSecrets
constexpr std::size_t kRounds = 5;

struct Payloads {
  std::vector<std::string> texts;
  explicit Payloads(const std::string& folder) {
    for (std::size_t i = 0; i < kSecrets; ++i) {
      const std::string path = fmt::format("{}/vars/per-machine/m-0/g/secret-{}/secret", folder, i);
      texts.push_back(bench::must(sops::parse(bench::must(read_file(path, sops::kMaxFile)))).data);
    }
  }
  [[nodiscard]] std::size_t equal(const Payloads& other) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) count += texts[i] == other.texts[i] ? 1 : 0;
    return count;
  }
};

}  // namespace

int main() {
  const bench::StoreProject project(1, kSecrets);
  const std::string& folder = project.folder.path();
  const std::string program = bench::program();
  const std::string more = age::generate_key_pair().recipient;
  const std::vector<std::string> environment = {"SOPS_AGE_KEY_FILE=" + folder + "/key.txt"};
  const auto keys = [&](const std::string& verb) {
    std::vector<std::string> words = {program, "--project", folder, "secrets", "users", verb, "bench", more};
    if (verb == "add-key") words.emplace_back("--widen");
    bench::run_quietly(words, 0, environment);
  };
  std::size_t kept = kSecrets;
  std::size_t changed = kSecrets;
  std::vector<Series> all = {{"one reader more",
                              [&] {
                                const Payloads before(folder);
                                keys("add-key");
                                kept = std::min(kept, before.equal(Payloads(folder)));
                              }},
                             {"one reader less", [&] {
                                const Payloads before(folder);
                                keys("remove-key");
                                changed = std::min(changed, kSecrets - before.equal(Payloads(folder)));
                              }}};
  const auto age_program = find_program("age", kSystemPath);
  if (age_program) {
    const std::string file = folder + "/peer.age";
    const std::string plain = folder + "/peer";
    const age::RecipientPtr to = bench::must(age::parse_recipient(project.user.recipient));
    const Secret value = Secret::copy_of(std::string(44, '0'));
    bench::must(write_file(file, bench::must(age::encrypt({&to, 1}, value.bytes())), 0600));
    bench::must(write_file(plain, value.text(), 0600));
    all.push_back({"age -d and age -e, a process each",
                   [&, file, plain] {
                     for (std::size_t i = 0; i < kProcesses; ++i) {
                       bench::run_quietly({*age_program, "-d", "-i", folder + "/key.txt", file});
                       bench::run_quietly({*age_program, "-r", project.user.recipient, "-r", more, plain});
                     }
                   },
                   static_cast<double>(kSecrets) / kProcesses});
  } else {
    fmt::print("'age' is not on this machine: without that peer\n");
  }
  bench::measure(all, kRounds);
  fmt::print("{} secrets, median of {} rounds:\n", kSecrets, kRounds);
  for (const Series& one : all) fmt::print("  {:33} {}\n", one.name, one.text());
  fmt::print(
      "  payloads kept where nobody is removed: {} of {} (limit: all); changed where somebody is: {} of {} (limit: "
      "all)\n",
      kept, kSecrets, changed, kSecrets);
  if (all.size() > 2) fmt::print("  {:.1f} times faster than age processes\n", all[2].median() / all[0].median());
  return kept == kSecrets && changed == kSecrets ? 0 : 1;
}
