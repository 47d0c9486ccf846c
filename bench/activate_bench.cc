// `activate` of 1,000 secrets, from start to exit, beside one `age -d` process a file and a bare libcrypto loop of the
// same operations.
// links: vmcred_store OpenSSL::Crypto

#include "age/age.h"
#include "libcrypto_loop.h"
#include "store_project.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::Series;

constexpr std::size_t kSecrets = 1000;
constexpr std::size_t kProcesses = 50;  // of `age`, a round; scaled to kSecrets
constexpr std::size_t kRounds = 11;

}  // namespace

int main() {
  const bench::StoreProject project(1, kSecrets);
  const std::string& folder = project.folder.path();
  const std::string program = bench::program();
  bench::Bare bare;
  std::vector<Series> all = {
      {"vmcred activate",
       [&] {
         // Another file system may be the project's: generations lie in memory, as they do on a host.
         const TemporaryFolder run = bench::must(TemporaryFolder::make("/dev/shm"));
         const std::string prefix = run.path();
         bench::must(make_folders(prefix + "/var/lib/vmcred"));
         bench::must(write_file(prefix + "/var/lib/vmcred/key.txt",
                                bench::must(read_file(folder + "/host/var/lib/vmcred/key.txt", 4096)), 0600));
         bench::run_quietly({program, "--project", folder, "activate", "--root-prefix", prefix});
       }},
      {"libcrypto, the same operations", [&] {
         for (std::size_t i = 0; i < kSecrets; ++i) bare.decrypt();
       }}};
  const auto age_program = find_program("age", kSystemPath);
  if (age_program) {
    const std::string file = folder + "/peer.age";
    const age::RecipientPtr to = bench::must(age::parse_recipient(project.user.recipient));
    const Secret value = Secret::copy_of(std::string(44, '0'));
    bench::must(write_file(file, bench::must(age::encrypt({&to, 1}, value.bytes())), 0600));
    all.push_back({"age -d, a process each",
                   [&, file] {
                     for (std::size_t i = 0; i < kProcesses; ++i)
                       bench::run_quietly({*age_program, "-d", "-i", folder + "/key.txt", file});
                   },
                   static_cast<double>(kSecrets) / kProcesses});
  } else {
    fmt::print("'age' is not on this machine: without that peer\n");
  }
  bench::measure(all, kRounds);
  fmt::print("{} secrets, median of {} rounds:\n", kSecrets, kRounds);
  for (const Series& one : all) fmt::print("  {:31} {}\n", one.name, one.text());
  fmt::print("  activate: {:.2f} times the libcrypto loop (limit 2)", all[0].median() / all[1].median());
  if (all.size() > 2) fmt::print(", {:.0f} times faster than age (limit 25)", all[2].median() / all[0].median());
  fmt::print("\n");
  return 0;
}
