// sops binary files with one recipient, a thousand a round, beside two peers in the same run: one `age` process each,
// and a bare loop over libcrypto that does the same operations and nothing else (the limit). Median of interleaved
// rounds.

// links: vmcred_sops OpenSSL::Crypto

#include <algorithm>
#include <string>
#include <vector>

#include "age/age.h"
#include "base/crypto.h"
#include "libcrypto_loop.h"
#include "sops/sops.h"
#include "timing.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::Bare;
using bench::Series;
using bench::stop;

constexpr std::size_t kCount = 1000;
constexpr std::size_t kRounds = 7;
constexpr std::size_t kProcesses = 100;  // of `age`, a round; scaled to kCount

void report(const std::string& what, const std::vector<Series>& all, double gate_age) {
  const double ours = all[0].median();
  for (const Series& one : all) {
    const auto [least, most] = std::ranges::minmax(one.times);
    fmt::print("{:8} {:34} {:9.1f} ms a thousand ({:.1f} … {:.1f})\n", what, one.name, one.median(), least, most);
  }
  fmt::print("{:8} against libcrypto {:.2f} times (gate: 2.00), against age processes 1/{:.0f} (gate: 1/{:.0f})\n",
             what, ours / all[1].median(), all.size() > 2 ? all[2].median() / ours : 0, gate_age);
}

}  // namespace

int main() {
  const age::KeyPair pair = age::generate_key_pair();
  const age::RecipientPtr to = *age::parse_recipient(pair.recipient);
  const age::IdentityPtr key = *age::parse_identity(pair.identity.text());
  const Secret value = random_secret(44);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < kCount; ++i) files.push_back(sops::print(*sops::encrypt(value.bytes(), {&to, 1})));
  Bare bare;

  std::vector<Series> decrypt = {{"vmcred, parse and decrypt",
                                  [&] {
                                    for (const std::string& file : files) {
                                      const auto parsed = sops::parse(file);
                                      if (!parsed || !sops::decrypt(*parsed, {&key, 1})) stop("decrypt failed");
                                    }
                                  }},
                                 {"libcrypto, the same operations", [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) bare.decrypt();
                                  }}};
  std::vector<Series> encrypt = {{"vmcred, encrypt and print",
                                  [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) {
                                      const auto file = sops::encrypt(value.bytes(), {&to, 1});
                                      if (!file || sops::print(*file).empty()) stop("encrypt failed");
                                    }
                                  }},
                                 {"libcrypto, the same operations", [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) bare.encrypt();
                                  }}};

  const auto age_program = find_program("age", kSystemPath);
  auto folder = TemporaryFolder::make();
  if (age_program && folder) {
    const std::string key_file = join_path(folder->path(), "key");
    const std::string plain_file = join_path(folder->path(), "plain");
    const std::string age_file = join_path(folder->path(), "file.age");
    if (!write_file(key_file, pair.identity.text(), 0600) || !write_file(plain_file, value.text(), 0600) ||
        !write_file(age_file, *age::encrypt({&to, 1}, value.bytes()), 0600)) {
      stop("write the peer's files");
    }
    const auto processes = [age = *age_program](const std::vector<std::string>& arguments) {
      return [age, arguments] {
        Command command = {.argv = {age}};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        for (std::size_t i = 0; i < kProcesses; ++i) {
          const auto output = run(command);
          if (!output || !output->status.ok()) stop("age failed");
        }
      };
    };
    constexpr double kScale = static_cast<double>(kCount) / kProcesses;
    decrypt.push_back({"age -d, one process each", processes({"-d", "-i", key_file, age_file}), kScale});
    encrypt.push_back({"age -r, one process each", processes({"-r", pair.recipient, plain_file}), kScale});
  } else {
    fmt::print("'age' is not on this machine: without that peer\n");
  }
  measure(decrypt, kRounds);
  measure(encrypt, kRounds);
  report("decrypt", decrypt, 25);
  report("encrypt", encrypt, 15);
  return 0;
}
