// `import agenix` of 1,000 files for two readers, from start to exit, beside the bare loop over the same files in one
// process: decrypt, then encrypt for the same two. Gate: at most 1.3 times.
// links: vmcred_sops

#include "age/age.h"
#include "sops/sops.h"
#include "timing.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::must;
using bench::Series;

constexpr std::size_t kSecrets = 1000;
constexpr std::size_t kRounds = 5;

}  // namespace

int main() {
  const auto folder = must(TemporaryFolder::make("/dev/shm"));
  const std::string program = bench::program();
  const age::KeyPair mine = age::generate_key_pair();
  const age::KeyPair host = age::generate_key_pair();
  const age::Recipients to = {must(age::parse_recipient(mine.recipient)), must(age::parse_recipient(host.recipient))};
  const age::Identities key = {must(age::parse_identity(mine.identity.text()))};
  const std::string key_file = folder.path() + "/key";
  must(write_file(key_file, mine.identity.text(), 0600));
  must(make_folders(folder.path() + "/secrets"));
  std::string rules =
      fmt::format("let alice = \"{}\"; web = \"{}\"; systems = [ web ]; in {{\n", mine.recipient, host.recipient);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < kSecrets; ++i) {
    files.push_back(must(age::encrypt(to, bytes_of(fmt::format("{:044}", i)))));
    must(write_file(fmt::format("{}/secrets/secret-{}.age", folder.path(), i), files.back(), 0644));
    rules += fmt::format("  \"secret-{}.age\".publicKeys = [ alice ] ++ systems;\n", i);
  }
  must(write_file(folder.path() + "/secrets/secrets.nix", rules + "}\n", 0644));
  std::size_t number = 0;
  std::vector<Series> all = {{"vmcred import agenix",
                              [&] {
                                const std::string project = fmt::format("{}/project-{}", folder.path(), number++);
                                must(make_folders(project));
                                bench::run_quietly(
                                    {program, "--project", project, "import", "agenix", folder.path() + "/secrets"}, 0,
                                    {"SOPS_AGE_KEY_FILE=" + key_file, "HOME=" + folder.path()});
                              }},
                             {"decrypt and encrypt, bare loop", [&] {
                                for (const std::string& file : files) {
                                  const Secret value = must(age::decrypt(key, file));
                                  if (sops::print(must(sops::encrypt(value.bytes(), to))).empty())
                                    bench::stop("encrypt failed");
                                }
                              }}};
  measure(all, kRounds);
  for (const Series& one : all) fmt::print("{:34} {}\n", one.name, one.text());
  fmt::print("import against the bare loop {:.2f} times (gate: 1.30)\n", all[0].median() / all[1].median());
  return 0;
}
