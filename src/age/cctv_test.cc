// All vectors of C2SP CCTV/age (tests/vectors/age): each has to end in exactly the outcome that it names.
#include <zlib.h>

#include <map>
#include <set>

#include "age/age.h"
#include "age/armor.h"
#include "age/scrypt.h"
#include "age/stream.h"
#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

struct Vector {
  std::multimap<std::string, std::string> keys;
  std::string file;
  [[nodiscard]] std::string at(const std::string& key) const {
    const auto found = keys.find(key);
    return found == keys.end() ? "" : found->second;
  }
};

std::string inflated(const std::string& bytes) {
  std::string out(20'000'000, '\0');
  auto size = static_cast<uLongf>(out.size());
  EXPECT_EQ(uncompress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                       static_cast<uLong>(bytes.size())),
            Z_OK);
  out.resize(size);
  return out;
}

Vector parse_vector(std::string_view text) {
  Vector vector;
  while (!text.starts_with('\n')) {
    const std::size_t end = text.find('\n');
    const std::size_t colon = text.find(": ");
    vector.keys.emplace(text.substr(0, colon), text.substr(colon + 2, end - colon - 2));
    text.remove_prefix(end + 1);
  }
  vector.file = text.substr(1);
  if (vector.at("compressed") == "zlib") vector.file = inflated(vector.file);
  return vector;
}

std::map<std::string, Vector> vectors() {
  std::map<std::string, Vector> all;
  std::string text = *read_file(testing::source_folder() + "/tests/vectors/age/cctv.txt", 1'000'000);
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::size_t space = line.find(' ');
    all.emplace(line.substr(0, space), parse_vector(*base64_decode(line.substr(space + 1))));
    rest.remove_prefix(line.size() + 1);
  }
  return all;
}

/// The outcome in the words of the vectors.
std::string outcome(const Vector& vector) {
  std::string binary = vector.file;
  if (vector.at("armored") == "yes") {
    auto read = read_armor(vector.file);
    if (!read) return "armor failure";
    binary = *std::move(read);
  }
  const auto parsed = parse_header(binary);
  if (!parsed) return "header failure";
  EXPECT_EQ(write_header(parsed->header.stanzas, {}).substr(0, parsed->authenticated.size()), parsed->authenticated)
      << "one header has one form";
  Identities identities;
  const auto [first, last] = vector.keys.equal_range("identity");
  for (auto at = first; at != last; ++at) {
    auto key = parse_identity(at->second);
    EXPECT_THAT(key, Succeeds());
    if (key) identities.push_back(*key);
  }
  if (!vector.at("passphrase").empty()) {
    identities.push_back(*passphrase_identity(secret(vector.at("passphrase")), kLargestLogN));
  }
  const auto file_key = unwrap_file_key(identities, parsed->header.stanzas);
  if (!file_key) return file_key.error().code == Errc::denied ? "no match" : "header failure";
  EXPECT_EQ(hex_encode(file_key->bytes()), vector.at("file key"));
  if (!check_mac(*parsed, file_key->bytes())) return "HMAC failure";
  if (parsed->payload.size() < kPayloadNonce) return "header failure";
  const auto value = open_payload(file_key->bytes(), parsed->payload);
  if (!value) return "payload failure";
  EXPECT_EQ(sha256_hex(value->text()), vector.at("payload"));
  ScriptedRandomness dice({std::string(parsed->payload.substr(0, kPayloadNonce))});
  std::string again;
  seal_payload(again, file_key->bytes(), value->bytes(), dice);
  EXPECT_EQ(again, parsed->payload) << "one payload has one form";
  return "success";
}

TEST(Cctv, EveryVectorEndsAsItSays) {
  const std::set<std::string> known_keys = {"expect",     "payload", "file key",   "identity",
                                            "passphrase", "armored", "compressed", "comment"};
  const auto all = vectors();
  EXPECT_EQ(all.size(), 143U);
  for (const auto& [name, vector] : all) {
    SCOPED_TRACE(name);
    for (const auto& [key, value] : vector.keys) EXPECT_TRUE(known_keys.contains(key)) << key;
    EXPECT_EQ(outcome(vector), vector.at("expect"));
  }
}

TEST(Cctv, NothingIsReleasedWhereAVectorFails) {
  for (const auto& [name, vector] : vectors()) {
    if (vector.at("identity").empty()) continue;
    const auto identities = parse_identities(vector.at("identity"));
    if (!identities) continue;
    EXPECT_EQ(decrypt(*identities, vector.file).has_value(), vector.at("expect") == "success") << name;
  }
}

}  // namespace
}  // namespace vmcred::age
