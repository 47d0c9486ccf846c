#include "link/receipt.h"

#include "matchers.h"

namespace vmcred::link {
namespace {

using ::testing::HasSubstr;
using testing::secret;

const std::string kKey(32, 'k');

Copy copy(const std::string& guest, std::string_view value, Source source = Source::system) {
  return {.guest = guest,
          .source = source,
          .size = value.size(),
          .hash = credential_hash(bytes_of(kKey), guest, bytes_of(value))};
}

ReceiptEntry only_entry(std::string_view sent, std::vector<Copy> copies) {
  std::map<std::string, Secret> expected;
  expected.emplace("API_KEY", secret(sent));
  const Receipt receipt = make_receipt({.copies = std::move(copies)}, expected, bytes_of(kKey));
  EXPECT_EQ(receipt.entries.size(), 1u);
  return receipt.entries.front();
}

TEST(Receipt, SaysReceivedOnlyForTheSameBytes) {
  EXPECT_EQ(only_entry("hunter2", {copy("API_KEY", "hunter2")}).state, State::received);
  EXPECT_EQ(only_entry("hunter2", {copy("API_KEY", "hunter3")}).state, State::changed);
  EXPECT_EQ(only_entry("", {copy("API_KEY", "")}).state, State::received);
}

TEST(Receipt, TellsATruncatedValueFromAChangedOne) {
  const auto entry = only_entry("hunter2", {copy("API_KEY", "hunt")});
  EXPECT_EQ(entry.state, State::truncated);
  EXPECT_EQ(entry.detail, "4 of 7 bytes arrived");
  EXPECT_EQ(only_entry("hunter2", {copy("API_KEY", "gunt")}).state, State::changed);
}

TEST(Receipt, SaysMissingForWhatIsNotThere) {
  EXPECT_EQ(only_entry("hunter2", {}).state, State::missing);
  const auto offered = only_entry("hunter2", {copy("API_KEY", "hunter2", Source::smbios)});
  EXPECT_EQ(offered.state, State::missing);
  EXPECT_THAT(offered.detail, HasSubstr("SMBIOS"));
}

TEST(Receipt, SaysShadowedWhenAnotherSourceWon) {
  const auto entry = only_entry("hunter2", {copy("API_KEY", "other"), copy("API_KEY", "other", Source::fw_cfg),
                                            copy("API_KEY", "hunter2", Source::smbios)});
  EXPECT_EQ(entry.state, State::shadowed);
  EXPECT_THAT(entry.detail, HasSubstr("SMBIOS"));
}

TEST(Receipt, ListsWhatNobodySentWithoutCallingItIncomplete) {
  const Receipt receipt = make_receipt({.copies = {copy("EXTRA", "x")}}, {}, bytes_of(kKey));
  ASSERT_EQ(receipt.entries.size(), 1u);
  EXPECT_EQ(receipt.entries.front().state, State::unexpected);
  EXPECT_TRUE(receipt.complete());
}

TEST(Receipt, IsIncompleteWithOneThatIsNotReceived) {
  std::map<std::string, Secret> expected;
  expected.emplace("A", secret("1"));
  expected.emplace("B", secret("2"));
  EXPECT_FALSE(make_receipt({.copies = {copy("A", "1")}}, expected, bytes_of(kKey)).complete());
  EXPECT_TRUE(make_receipt({.copies = {copy("B", "2"), copy("A", "1")}}, expected, bytes_of(kKey)).complete());
}

TEST(Receipt, GivesEachCredentialItsConsumers) {
  std::map<std::string, Secret> expected;
  expected.emplace("A", secret("1"));
  const Receipt receipt = make_receipt(
      {.copies = {copy("A", "1")}, .consumers = {{"A", "a", "web.service", "active"}, {"B", "b", "x.service", ""}}},
      expected, bytes_of(kKey));
  ASSERT_EQ(receipt.entries.front().consumers.size(), 1u);
  EXPECT_EQ(receipt.entries.front().consumers.front().unit, "web.service");
}

TEST(CredentialHash, DependsOnKeyNameAndValue) {
  const Digest digest = credential_hash(bytes_of(kKey), "AB", bytes_of("C"));
  EXPECT_NE(digest, credential_hash(bytes_of(kKey), "A", bytes_of("BC")));
  EXPECT_NE(digest, credential_hash(bytes_of("other"), "AB", bytes_of("C")));
}

}  // namespace
}  // namespace vmcred::link
