// Both directions against the `age` program of the machine.
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
  if (program("age").empty()) GTEST_SKIP() << "no age on this machine";
  const TestFolder folder;
  const std::string key = folder.write("key.txt", fmt::format("{}\n", kIdentity));
  const age::Recipients to = {*parse_recipient(generate_key_pair().recipient), recipient()};
  for (const std::string& value : payloads()) {
    EXPECT_EQ(run_age({"-d", "-i", key}, *encrypt(to, bytes_of(value))), value);
    EXPECT_EQ(run_age({"-d", "-i", key}, *encrypt_armored(to, bytes_of(value))), value);
  }
}

TEST(Interop, WeReadWhatAgeWrites) {
  if (program("age").empty()) GTEST_SKIP() << "no age on this machine";
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

}  // namespace
}  // namespace vmcred::age
