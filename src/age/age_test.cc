#include "age/age.h"

#include "age/armor.h"
#include "age/bech32.h"
#include "age/stream.h"
#include "age/test_support.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

const std::string kFileKey = counting(0x10, 16);

std::string known_file() {
  ScriptedRandomness dice({kFileKey, repeated(0x42, 32), repeated(0x24, 16)});
  const RecipientPtr to = recipient();
  auto file = encrypt({&to, 1}, bytes_of(counting(0, 32)), dice);
  EXPECT_TRUE(dice.used_up());
  return file.value_or("");
}

TEST(Age, WritesTheKnownAnswer) {
  const std::string file = known_file();
  EXPECT_EQ(file.size(), 232U);
  EXPECT_EQ(sha256_hex(file), "7211d947c8c76ae8cec899ce480ff7f384bfed78f3a0cf1d976e6273c5023cf9");
}

TEST(Age, ReadsBackWhatItWroteBinaryAndArmored) {
  const IdentityPtr key = identity();
  for (const std::string& file : {known_file(), write_armor(known_file())}) {
    const auto value = decrypt({&key, 1}, file);
    ASSERT_THAT(value, Succeeds());
    EXPECT_EQ(value->text(), counting(0, 32));
  }
}

TEST(Age, SaysWhenNoIdentityMatches) {
  const KeyPair other = generate_key_pair();
  const IdentityPtr key = *parse_identity(other.identity.text());
  EXPECT_EQ(key->recipient(), other.recipient);
  EXPECT_THAT(decrypt({&key, 1}, known_file()), FailsWith(Errc::denied, HasSubstr("no identity matches")));
}

TEST(Age, NoticesEveryChangedByte) {
  const IdentityPtr key = identity();
  const std::string file = known_file();
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(decrypt({&key, 1}, changed)) << "byte " << i;
    EXPECT_FALSE(decrypt({&key, 1}, file.substr(0, i))) << "cut at " << i;
  }
  EXPECT_FALSE(decrypt({&key, 1}, file + "x"));
}

TEST(Age, EncryptsToManyAndEachReads) {
  std::vector<KeyPair> pairs;
  Recipients to;
  for (int i = 0; i < 5; ++i) {
    pairs.push_back(generate_key_pair());
    to.push_back(*parse_recipient(pairs.back().recipient));
  }
  const auto file = encrypt(to, bytes_of("hunter2"));
  ASSERT_THAT(file, Succeeds());
  for (const KeyPair& pair : pairs) {
    const IdentityPtr key = *parse_identity(pair.identity.text());
    const auto value = decrypt({&key, 1}, *file);
    ASSERT_THAT(value, Succeeds());
    EXPECT_EQ(value->text(), "hunter2");
  }
}

TEST(Stream, WritesTheKnownAnswers) {
  const std::vector<std::tuple<std::size_t, std::string>> known = {
      {0, "524d0be96a8078a2f10c1166cba7707fa7644295c77c4c9c0b47f38a723bd355"},
      {1, "f06edc9152bd08097e9989ff4d0a6fa76a8c8e4850912381eea2a0846a5251b7"},
      {65535, "d045d242c100674d11fc556049ec5afbb6cdeb849fb841d75f823ffb35bd396c"},
      {65536, "1da03bbd8468c261155fa2185978fd02744549a15de71a29037f9eb82dc04a8b"},
      {65537, "d8a64dd0ce2585a67cf0b1cb0c5d00031f595c0ee376f163e28ddf1f117c46c4"},
      {131072, "0da8ad632716a1831db859a0d9aa3ec6a6b8fac911fbb1dfa40aabb638f5e01a"}};
  for (const auto& [size, digest] : known) {
    ScriptedRandomness dice({repeated(0x24, 16)});
    std::string out;
    const std::string zeros(size, '\0');
    seal_payload(out, bytes_of(kFileKey), bytes_of(zeros), dice);
    EXPECT_EQ(sha256_hex(out), digest) << size;
    const auto back = open_payload(bytes_of(kFileKey), out);
    ASSERT_THAT(back, Succeeds());
    EXPECT_EQ(back->text(), zeros);
  }
}

TEST(Stream, RefusesChunksInAnotherOrderAndAMissingEnd) {
  ScriptedRandomness dice({repeated(0x24, 16)});
  std::string out;
  seal_payload(out, bytes_of(kFileKey), bytes_of(std::string(3 * kChunk, 'x')), dice);
  std::string swapped = out;
  std::swap_ranges(swapped.begin() + 16, swapped.begin() + 16 + 65552, swapped.begin() + 16 + 65552);
  EXPECT_THAT(open_payload(bytes_of(kFileKey), swapped), FailsWith(Errc::mismatch, HasSubstr("chunk 1")));
  EXPECT_THAT(open_payload(bytes_of(kFileKey), out.substr(0, out.size() - 65552)),
              FailsWith(Errc::mismatch, HasSubstr("chunk 2")));
}

TEST(Keys, APrivateKeyGivenAsRecipientIsNotRepeated) {
  const auto result = parse_recipient(kIdentity);
  ASSERT_THAT(result, FailsWith(Errc::invalid_data, HasSubstr("private key")));
  EXPECT_EQ(result.error().message.find("QYPQX"), std::string::npos);
}

TEST(Keys, ReadsWhatAgeKeygenWrites) {
  const auto keys =
      parse_identities(fmt::format("# created: 2026-01-02T03:04:05Z\n# public key: {}\n{}\r\n", kRecipient, kIdentity));
  ASSERT_THAT(keys, Succeeds());
  ASSERT_EQ(keys->size(), 1U);
  EXPECT_EQ(keys->front()->recipient(), kRecipient);
  EXPECT_TRUE(keys->front()->reads(kRecipient));
}

TEST(Keys, NamesTheLineOfABadKeyAndNotItsText) {
  const std::string text = fmt::format("# mine\n{}X\n", kIdentity);
  const auto result = parse_identities(text);
  ASSERT_THAT(result, FailsWith(Errc::invalid_data, HasSubstr("line 2")));
  EXPECT_EQ(result.error().message.find("QYPQX"), std::string::npos);
  EXPECT_THAT(parse_identities("# nothing\n\n"), FailsWith(Errc::not_found, HasSubstr("no identity")));
}

TEST(Bech32, KeepsToItsAlphabetCaseAndChecksum) {
  EXPECT_THAT(bech32_decode("age1Q73he"), FailsWith(Errc::invalid_data, HasSubstr("mixes")));
  EXPECT_THAT(bech32_decode("age1b"), FailsWith(Errc::invalid_data, HasSubstr("cut short")));
  std::string typo(kRecipient);
  typo[10] = typo[10] == 'q' ? 'p' : 'q';
  EXPECT_THAT(bech32_decode(typo), FailsWith(Errc::invalid_data, HasSubstr("checksum")));
  const auto decoded = bech32_decode(kRecipient);
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(bech32_encode(decoded->prefix, decoded->data.bytes()), kRecipient);
}

}  // namespace
}  // namespace vmcred::age
