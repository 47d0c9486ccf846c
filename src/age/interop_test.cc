// Both directions against the `age` program of the machine.
#include <cstdlib>
#include <optional>
#include <random>

#include "age/age.h"
#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

std::string run_age(const std::vector<std::string>& arguments, std::string_view input) {
  std::vector<std::string> argv = {program("age")};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto output = run({.argv = argv}, {.input = input, .max_output = 64UL * 1024 * 1024});
  EXPECT_THAT(output, Succeeds());
  if (!output) return "";
  EXPECT_TRUE(output->status.ok()) << output->err;
  return output->out;
}

std::vector<std::string> payloads() {
  std::vector<std::string> values = {"", "x", "hunter2\n"};
  for (const std::size_t size : {47UL, 48UL, 49UL, 65535UL, 65536UL, 65537UL, 131072UL, 1'000'000UL}) {
    std::string value(size, '\0');
    kernel_randomness().fill({reinterpret_cast<std::uint8_t*>(value.data()), value.size()});
    values.push_back(std::move(value));
  }
  return values;
}

TEST(Interop, AgeReadsWhatWeWrite) {
  ASSERT_NE(program("age"), "") << kRunSetup;
  const TestFolder folder;
  const std::string key = folder.write("key.txt", fmt::format("{}\n", kIdentity));
  const age::Recipients to = {*parse_recipient(generate_key_pair().recipient), recipient()};
  for (const std::string& value : payloads()) {
    EXPECT_EQ(run_age({"-d", "-i", key}, *encrypt(to, bytes_of(value))), value);
    EXPECT_EQ(run_age({"-d", "-i", key}, *encrypt_armored(to, bytes_of(value))), value);
  }
}

TEST(Interop, WeReadWhatAgeWrites) {
  ASSERT_NE(program("age"), "") << kRunSetup;
  const IdentityPtr key = identity();
  const KeyPair other = generate_key_pair();
  for (const std::string& value : payloads()) {
    for (const std::string& file : {run_age({"-r", other.recipient, "-r", std::string(kRecipient)}, value),
                                    run_age({"-a", "-r", other.recipient, "-r", std::string(kRecipient)}, value)}) {
      const auto back = decrypt({&key, 1}, file);
      ASSERT_THAT(back, Succeeds());
      EXPECT_EQ(back->text(), value);
    }
  }
}

/// Numbers below a bound, from a seed that the test prints: what was found once can be found again.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t bound) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(state_ >> 33U) % bound;
  }

 private:
  std::uint64_t state_;
};

/// $VMCRED_INTEROP_RUNS, or a few.
std::size_t interop_runs() {
  const char* const wanted = std::getenv("VMCRED_INTEROP_RUNS");  // NOLINT
  return wanted == nullptr ? 12 : std::strtoul(wanted, nullptr, 10);
}

std::uint64_t interop_seed() {
  const char* const wanted = std::getenv("VMCRED_INTEROP_SEED");  // NOLINT
  const std::uint64_t seed = wanted == nullptr ? std::random_device()() : std::strtoull(wanted, nullptr, 10);
  fmt::print("VMCRED_INTEROP_SEED={}\n", seed);
  return seed;
}

TEST(Interop, AnyFileMeansTheSameToAgeAndToUs) {
  ASSERT_NE(program("age"), "") << kRunSetup;
  ASSERT_NE(program("ssh-keygen"), "") << kRunSetup;
  Dice dice(interop_seed());
  const TestFolder folder;
  std::vector<std::string> keys = {folder.write("x25519", fmt::format("{}\n", kIdentity))};
  std::vector<std::string> recipients = {std::string(kRecipient)};
  for (const char* type : {"ed25519", "rsa"}) {
    const std::string path = folder / type;
    ASSERT_TRUE(run({.argv = {program("ssh-keygen"), "-q", "-t", type, "-N", "", "-f", path}})->status.ok());
    keys.push_back(path);
    recipients.push_back(*read_file(path + ".pub", 10'000));
    recipients.back().pop_back();
  }
  const auto decrypted_by_age = [&](std::size_t key, const std::string& file) {
    const auto output =
        run({.argv = {program("age"), "-d", "-i", keys[key]}}, {.input = file, .max_output = 1'000'000});
    return output && output->status.ok() ? std::optional(output->out) : std::nullopt;
  };
  for (std::size_t i = 0; i < interop_runs(); ++i) {
    SCOPED_TRACE(i);
    std::string value(dice.below(3) == 0 ? 65'530 + dice.below(12) : dice.below(300), '\0');
    for (char& c : value) c = static_cast<char>(dice.below(256));
    const std::size_t reader = dice.below(recipients.size());
    std::vector<std::size_t> chosen = {reader};
    for (std::size_t more = dice.below(3); more > 0; --more) chosen.push_back(dice.below(recipients.size()));
    const bool armored = dice.below(2) == 0;
    // Ours to age.
    Recipients to;
    std::vector<std::string> arguments = {program("age")};
    if (armored) arguments.emplace_back("-a");
    for (const std::size_t one : chosen) {
      to.push_back(*parse_recipient(recipients[one]));
      arguments.insert(arguments.end(), {"-r", recipients[one]});
    }
    const std::string ours = armored ? *encrypt_armored(to, bytes_of(value)) : *encrypt(to, bytes_of(value));
    EXPECT_EQ(decrypted_by_age(reader, ours), value);
    // Age's to us.
    const std::string theirs = run({.argv = arguments}, {.input = value, .max_output = 1'000'000})->out;
    const Identities identities = *parse_identities(*read_file(keys[reader], 10'000));
    const auto back = decrypt(identities, theirs);
    ASSERT_THAT(back, Succeeds());
    EXPECT_EQ(back->text(), value);
    // Damaged: both refuse, or both read the same.
    std::string damaged = dice.below(2) == 0 ? ours : theirs;
    const std::size_t place = dice.below(damaged.size());
    if (dice.below(3) == 0) {
      damaged.resize(place);
    } else {
      damaged[place] = static_cast<char>(damaged[place] ^ static_cast<char>(1U << dice.below(8)));
    }
    const auto by_us = decrypt(identities, damaged);
    const auto by_age = decrypted_by_age(reader, damaged);
    EXPECT_EQ(by_us.has_value(), by_age.has_value()) << "byte " << place << (by_us ? "" : ": " + by_us.error().message);
    if (by_us && by_age) {
      EXPECT_EQ(by_us->text(), *by_age);
    }
  }
}

}  // namespace
}  // namespace vmcred::age
