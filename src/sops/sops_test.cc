#include "sops/sops.h"

#include "age/test_support.h"
#include "matchers.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT

class StillClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override { return *parse_rfc3339("2026-01-02T03:04:05Z"); }
  [[nodiscard]] SteadyTime steady() const override { return {}; }
};

struct Person {
  age::IdentityPtr identity;
  age::RecipientPtr recipient;
};
Person person() {
  const age::KeyPair pair = age::generate_key_pair();
  return {*age::parse_identity(pair.identity.text()), *age::parse_recipient(pair.recipient)};
}

File file_for(const age::Recipients& to, std::string_view value = "hunter2") {
  auto file = encrypt(bytes_of(value), to);
  EXPECT_THAT(file, Succeeds());
  return *std::move(file);
}

TEST(Sops, WritesTheKnownAnswer) {
  ScriptedRandomness dice({counting(0, 32), counting(0x10, 16), repeated(0x42, 32), repeated(0x24, 16),
                           repeated(0xa1, 32), repeated(0xb2, 32)});
  const StillClock clock;
  const age::RecipientPtr to = recipient();
  const auto file = encrypt(bytes_of("hunter2"), {&to, 1}, {.randomness = dice, .clock = clock});
  ASSERT_THAT(file, Succeeds());
  EXPECT_TRUE(dice.used_up());
  EXPECT_EQ(sha256_hex(print(*file)), "9b8604b42af510a9452dd029ee46749b22ec3a3447535539f12b8db364c2813f")
      << print(*file);
}

TEST(Sops, ReadsBackEveryKindOfValue) {
  const age::IdentityPtr key = identity();
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& value : {std::string(), std::string("x"), all, std::string(200'000, '\0')}) {
    const auto parsed = parse(print(file_for({recipient()}, value)));
    ASSERT_THAT(parsed, Succeeds());
    const auto back = decrypt(*parsed, {&key, 1});
    ASSERT_THAT(back, Succeeds());
    EXPECT_EQ(back->text(), value);
  }
}

TEST(Sops, ListsRecipientsSortedAndOnceWithoutAKey) {
  const Person a = person();
  const Person b = person();
  std::vector<std::string> expected = {a.recipient->text(), b.recipient->text()};
  std::ranges::sort(expected);
  EXPECT_EQ(recipients(file_for({a.recipient, b.recipient, a.recipient})), expected);
}

TEST(Sops, AStrangerIsDeniedAndToldWhatToDo) {
  const Person stranger = person();
  const auto result = decrypt(file_for({recipient()}), {&stranger.identity, 1});
  ASSERT_THAT(result, FailsWith(Errc::denied, HasSubstr("none of our 1 identities is among its 1 age recipients")));
  EXPECT_THAT(result.error().hint, HasSubstr("add your public key"));
}

TEST(Sops, WithoutAnyKeyNoIdentitiesAreCountedButTheirPlacesNamed) {
  const auto result = decrypt(file_for({recipient()}), {});
  ASSERT_THAT(result, FailsWith(Errc::denied, HasSubstr("there is no private key to open it with")));
  EXPECT_THAT(result.error().hint, HasSubstr("keys.txt"));
}

TEST(Sops, NoticesAChangedValueTimeOrMac) {
  const age::IdentityPtr key = identity();
  const File good = file_for({recipient()});
  File bad = good;
  bad.lastmodified = "2020-01-02T03:04:05Z";
  EXPECT_THAT(decrypt(bad, {&key, 1}), FailsWith(Errc::mismatch, HasSubstr("MAC")));
  bad = good;
  bad.data = "";  // the one edit that the value's own tag cannot see
  EXPECT_THAT(decrypt(bad, {&key, 1}), FailsWith(Errc::mismatch, HasSubstr("MAC is wrong")));
  bad = good;
  bad.data = bad.mac;
  EXPECT_FALSE(decrypt(bad, {&key, 1}));
  bad = good;
  bad.mac = bad.data;
  EXPECT_FALSE(decrypt(bad, {&key, 1}));
}

TEST(Sops, AnEntryWithAFalseNameIsStillFound) {
  const Person other = person();
  File file = file_for({recipient(), other.recipient});
  std::swap(file.age[0].recipient, file.age[1].recipient);
  const age::IdentityPtr key = identity();
  EXPECT_THAT(decrypt(file, {&key, 1}), Succeeds());
}

TEST(Sops, ManyFilesAtOnceEachWithItsOwnResult) {
  const Person a = person();
  const Person b = person();
  const File first = file_for({a.recipient}, "one");
  const File second = file_for({b.recipient}, "two");
  const File strange = file_for({person().recipient});
  File changed = file_for({a.recipient}, "x");
  changed.data = "";
  File swapped = file_for({a.recipient, person().recipient}, "three");
  std::swap(swapped.age[0].recipient, swapped.age[1].recipient);
  const std::vector<const File*> files = {&first, &second, &strange, &changed, &swapped};
  const age::Identities keys = {a.identity, b.identity};
  const auto values = decrypt_all(files, keys);
  ASSERT_EQ(values.size(), files.size());
  EXPECT_EQ(values[0]->text(), "one");
  EXPECT_EQ(values[1]->text(), "two");
  EXPECT_THAT(values[2], FailsWith(Errc::denied, HasSubstr("none of our 2 identities")));
  EXPECT_THAT(values[3], FailsWith(Errc::mismatch, HasSubstr("MAC is wrong")));
  EXPECT_EQ(values[4]->text(), "three");
}

TEST(Sops, AMalformedEntryIsNamed) {
  const age::IdentityPtr key = identity();
  File file = file_for({recipient()});
  file.age[0].enc = "nonsense";
  EXPECT_THAT(decrypt(file, {&key, 1}), FailsWith(Errc::invalid_data, HasSubstr("entry of 'age1q73")));
}

TEST(Sops, RefusesWhatIsNoFileOfTheBinaryKind) {
  const std::string good = print(file_for({recipient()}));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  EXPECT_THAT(parse("[]"), FailsWith(Errc::invalid_data, HasSubstr("no JSON object")));
  EXPECT_THAT(parse("{}"), FailsWith(Errc::invalid_data, HasSubstr("no 'sops' part")));
  EXPECT_THAT(parse(with("\"data\"", "\"date\"")), FailsWith(Errc::invalid_data, HasSubstr("'date'")));
  EXPECT_THAT(parse(with("{", "{\"data\": \"\",")), FailsWith(Errc::invalid_data, HasSubstr("twice")));
  EXPECT_THAT(parse(with("\"mac\": \"", "\"mac\": \"\", \"was\": \"")),
              FailsWith(Errc::invalid_data, HasSubstr("'mac'")));
  EXPECT_THAT(parse(with("Z\"", ".5Z\"")), FailsWith(Errc::invalid_data, HasSubstr("'lastmodified'")));
  EXPECT_THAT(parse(with("\"version\"", "\"key_groups\": [{}], \"version\"")),
              FailsWith(Errc::invalid_data, HasSubstr("Shamir")));
  EXPECT_THAT(parse(with("\"version\"", "\"key_groups\": [], \"kms\": null, \"version\"")), Succeeds());
  // As sops: a version that semver takes, no byte order mark, and 'data' is what its rule encrypts.
  EXPECT_THAT(parse(with("\"version\"", "\"was\"")), FailsWith(Errc::invalid_data, HasSubstr("'version' is missing")));
  for (const char* version : {"", "3", "3.11", "3.011.0", "3.11.0 ", "latest", "3.11.0-"})
    EXPECT_THAT(parse(with("\"3.11.0\"", fmt::format("\"{}\"", version))),
                FailsWith(Errc::invalid_data, HasSubstr("'version'")))
        << version;
  for (const char* version : {"3.7.3", "v3.9.0", "3.12.0-rc1", "1.13"})
    EXPECT_THAT(parse(with("\"3.11.0\"", fmt::format("\"{}\"", version))), Succeeds()) << version;
  EXPECT_THAT(parse("\xef\xbb\xbf" + good), FailsWith(Errc::invalid_data, HasSubstr("byte order mark")));
  EXPECT_THAT(parse(with("\"version\"", "\"unencrypted_suffix\": \"_unencrypted\", \"version\"")), Succeeds());
  EXPECT_THAT(parse(with("\"version\"", "\"unencrypted_suffix\": \"a\", \"version\"")),
              FailsWith(Errc::invalid_data, HasSubstr("in the clear")));
  EXPECT_THAT(parse(with("\"version\"", "\"encrypted_regex\": \"^password$\", \"version\"")),
              FailsWith(Errc::invalid_data, HasSubstr("in the clear")));
}

TEST(Sops, ReadsManyRecipientsAndOneThatIsNamedTwice) {
  age::Recipients many = {recipient()};
  while (many.size() < 100) many.push_back(*age::parse_recipient(age::generate_key_pair().recipient));
  File file = *encrypt(bytes_of("value"), many);
  file.age.push_back(file.age.front());
  const age::IdentityPtr key = identity();
  const auto back = parse(print(file));
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(decrypt(*back, {&key, 1})->text(), "value");
}

TEST(Sops, AChangedTypeIsRefused) {
  const age::IdentityPtr key = identity();
  File file = *encrypt(bytes_of("42"), std::vector{recipient()});
  for (const char* type : {"int", "bytes", "bool", "time", "comment", "float"}) {
    File changed = file;
    changed.data.replace(changed.data.find("type:str"), 8, fmt::format("type:{}", type));
    EXPECT_FALSE(decrypt(changed, {&key, 1})) << type;
  }
}

TEST(Rewrap, KeepsEverythingByteForByteWhereNobodyIsRemoved) {
  const Person a = person();
  const Person b = person();
  const File before = file_for({a.recipient});
  const age::Recipients both = {a.recipient, b.recipient};
  const auto after = rewrap(before, both, {&a.identity, 1});
  ASSERT_THAT(after, Succeeds());
  EXPECT_EQ(after->data, before.data);
  EXPECT_EQ(after->mac, before.mac);
  EXPECT_EQ(after->lastmodified, before.lastmodified);
  EXPECT_NE(std::ranges::find(after->age, before.age[0]), after->age.end());
  EXPECT_EQ(decrypt(*after, {&b.identity, 1})->text(), "hunter2");
  EXPECT_EQ(*rewrap(*after, both, {}), *after) << "nothing to do needs no key";
}

TEST(Rewrap, TakesANewDataKeyWhereSomebodyIsRemoved) {
  const Person a = person();
  const Person b = person();
  const File before = file_for({a.recipient, b.recipient});
  const auto after = rewrap(before, {&a.recipient, 1}, {&a.identity, 1});
  ASSERT_THAT(after, Succeeds());
  EXPECT_NE(after->data, before.data);
  EXPECT_EQ(recipients(*after), std::vector<std::string>{a.recipient->text()});
  EXPECT_EQ(decrypt(*after, {&a.identity, 1})->text(), "hunter2");
  File mixed = *after;  // the old data key does not open the new value
  mixed.age = before.age;
  EXPECT_FALSE(decrypt(mixed, {&b.identity, 1}));
}

TEST(Rewrap, KeepsPgpEntriesButRefusesToRemoveBesideThem) {
  const Person a = person();
  const Person b = person();
  File file = file_for({a.recipient, b.recipient});
  file.other.emplace_back("pgp", *parse_json(R"([{"created_at": "2026-01-01T00:00:00Z", "enc": "x", "fp": "ABCD"}])"));
  EXPECT_EQ(pgp_fingerprints(file), std::vector<std::string>{"ABCD"});
  const age::Recipients three = {a.recipient, b.recipient, recipient()};
  const auto grown = rewrap(file, three, {&a.identity, 1});
  ASSERT_THAT(grown, Succeeds());
  EXPECT_EQ(pgp_fingerprints(*parse(print(*grown))), std::vector<std::string>{"ABCD"});
  EXPECT_THAT(rewrap(file, {&a.recipient, 1}, {&a.identity, 1}), FailsWith(Errc::usage, HasSubstr("PGP")));
}

TEST(Sops, AFileForPgpKeysAloneIsRefusedInWords) {
  const Person a = person();
  File file = file_for({a.recipient});
  file.age.clear();
  file.other.emplace_back("pgp", *parse_json(R"([{"created_at": "2026-01-01T00:00:00Z", "enc": "x", "fp": "ABCD"}])"));
  const auto value = decrypt(*parse(print(file)), {&a.identity, 1});
  ASSERT_THAT(value, FailsWith(Errc::denied, HasSubstr("for PGP keys alone")));
  EXPECT_THAT(value.error().hint, HasSubstr("add an age recipient"));
}

TEST(Rewrap, PassesNothingOnThatWasChanged) {
  const Person a = person();
  const Person b = person();
  File file = file_for({a.recipient});
  file.data = "";
  const age::Recipients both = {a.recipient, b.recipient};
  EXPECT_THAT(rewrap(file, both, {&a.identity, 1}), FailsWith(Errc::mismatch, HasSubstr("MAC")));
}

}  // namespace
}  // namespace vmcred::sops
