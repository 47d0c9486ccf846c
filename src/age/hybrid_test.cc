#include "age/hybrid.h"

#include "age/age.h"
#include "age/bech32.h"
#include "age/test_support.h"
#include "base/base64.h"
#include "base/ml_kem.h"
#include "base/sha256.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

// A key and a file that filippo.io/age 1.3.2 made.
constexpr std::string_view kHybridIdentity =
    "AGE-SECRET-KEY-PQ-10A63VDYSRU0VQNJX57D2Z8LGMRLCXUKXG9TF95DL2K9NSFZ27NMQYVL92V";
constexpr std::string_view kHybridRecipientDigest = "7c6020c8863bd2073a5c560fa5483e80b6b8be1b781e23c696ffe82185ef5409";
constexpr std::string_view kHybridFile =
    "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IG1sa2VtNzY4eDI1NTE5IDFsd01MQkRMYk9ycWZ4TGpoVDJTQTAzdSs3UWwrVEpuR1NKVXdHT0w2SW"
    "5HOS9ONHkrRHdkRjhmMEdCaDU3YVV5VXNRQUpRcmpYUEt0Z0lheFFWYkk0dDJVU3ZwSWQ0bnlXUGg3TUVvM2N2dXd4aFhqa3hrMC96azM4b1B3"
    "R1FVLzJ4NlR2RFh0SUxhVC83THhTRDVzODJVbERRRWIvaHlmK2lOMjFNSjg2MC9tdTVXTzFHdk9FVXNMekRMYzhPMU45MlpDWjBWSVVsUUZyRU"
    "ttUWQ0UGN4aG9QV3I2SkRiblk4YU5BR1h3OWVMTVhZMldCcWFzZWh0VFRESkxMV1IyeXByZWYwSFo3RmJoWXhuT055SEJaaHBwb1Z5U1g1UVgy"
    "Rno3WHNWQWVMZmZIMmhBSmNzL1NlNzZwQUJSeE5jVFZQZ3dUMEhNTmlxR01FdzU1T0tsNE85citIWHJaU2dlMkVCcjhiRmw0UmhTRlBaWlA1eG"
    "pkVnJTeE8rY1B4ZGxqQS9PWUZhZHZDUWdVRDY1eWhMcFpHYzU4UExtMDh0SEJMem80Q1pSRmtVWDBSTWt5U1ZCcTE4R3NDa1h5dXJpMjBuZnNG"
    "QVZDY0pvTGgzaEJOSGIwbjFiaGJJb2lrd2tnRXZiYXlZVnFEckw4S0dCL3prZTJpUTlwQ2puVGNwOWlRTlBmUzFGWldVMHJXbVBDemw4ZDlSYV"
    "FaMXU2YTdOOGgvRGlWcHhmaDJ6S1FlUGJ5N015RHpIanRxZW52ODFoRkxXN2RqOVhMVENsSFgwckJWTDN3eDF6bGRvdm5iekJCMnFLa1YvRE42"
    "WUZScXliRWNHMFkvVHFoNnFyZWQwY3kwWjNKdVJIaVhIR2ZhNlFzSjd6U3pPMHp4OWFwd2NIdG4vRTNCb0tKeHN2NFJJRXh3SlJHWjBHKzNTME"
    "V4NVV2SS8rUjlGRjN5SlJNcW9YeC9jOTQ3NzN2M0dLZzREcVFXQ3pOUEQ4RWR1aHRQMDVtNEQwaWU4S2p0aDZrVm1YUGZNM1BlYlpvQmpBcWhX"
    "WHo3VkxUMzJiZ283WFFRVWtjbGw1ZDhEVVViOWRLbXY4aVBGMXZpUWljSUJPMnR2VllTeVowdGtBUHFlbE5PdUdyNm1JQURyOFdsWEpoNDVxTT"
    "dOdEluSEw1bllCVklNZUpPbHNuWGJkWWxrbU9SVjZMOVdDRXVXdTNZZFJDTHVTcnpHaWd5TzZTUW5aeStXeVhhODhBdlJ0K3RuNTdQTGh0MVNZ"
    "ZTdGUGdKbnpnd0VKdzIxWXhXZS9idnd2ZjYxVGlOa2F3NWtHM1V0cGdGTkNIWEN6ZGdXOFZ5QjBWVG9IS0NYNDZiL3dzRDlHa1U2UldCalBRb2"
    "xRWkE5STFVWDZ0cUcvcnIzbnZaa1dOTFlIUEp4V0VFbFZmRk5nUmYzbHp3NXZ3MG54RFhoU1gzL1p5WmJyUEJ6VzNJTklRTFlabCtrSElmTkRQ"
    "cmdyeVNYT2ZCVC9WUVB5TWJ4Z3pydWFqMEFZSmZqSzJnNTJHbEtxVTdqK2JiejdmN21WNnlqL3lDMkJGY3A4SDBJdE9aMjZaZVhNdU9zWnJ2MU"
    "JPTG9aQldDL1hmdmJiQi9oV21JclgwUFZkcGRWbkdUNXRkMGs2T25uaWQ5OGxaUFlkNTVFczk3Rlh2WEQvc3JjVWxMQ2orWlljZVlZcGI0SUsz"
    "S1ZidEZUajc3TGZIcGJ3ZkFDV1FQZGpOSmRLT1JmOTZTVW9xejM1ekFlYW5Ha3dEYkRlQk5DUnBsS1hwRzlPV2dCR0o1OG9xMDVNWE5ZbDFIYk"
    "Z4bWcwU3A2akFFRkFLWHpzQWVObDA1ME5WSHJsQkhXKzJGUXpPYXp6d2JjS205WkppNHVRcE10eXd3WkpMMG0wN0pHTk1nQkVlbEtHaDN2QlE1"
    "ZTREVWg3ZkMvVGo4cFVGZFZlcUJPYmpkY2trcmRIUjhST2FSakxjb3hqemtibDlIUQpsUm56M1FrRHZmQ1J4TndCSVZ1cW5KQWFXTjFBZFY4Ky"
    "tKT3pkS2dFSGdvCi0tLSB6RXVPZkpDWTNSRzFxMFVhRlZ0ZlI3VmwxSXhvT0tBVVlvM1VNWlBBMy9rCvjOHs6jg3XFS+xjo+U+nFoMMC19gUOt"
    "Q6wHlyi7QRMhezSOv/yjXgC+RdPQEgRp";

TEST(Hybrid, ReadsWhatAgeWrote) {
  const IdentityPtr key = *parse_identity(kHybridIdentity);
  EXPECT_EQ(sha256_hex(key->recipient()), kHybridRecipientDigest);
  EXPECT_TRUE(key->reads(key->recipient()));
  const auto back = decrypt({&key, 1}, *base64_decode(kHybridFile));
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(back->text(), "from age 1.3.2\n");
}

TEST(Hybrid, AMadeKeyReadsWhatIsMadeForItAndNoOtherDoes) {
  const KeyPair pair = generate_hybrid_key_pair();
  const Identities mine = *parse_identities(pair.identity.text());
  const Identities other = *parse_identities(generate_hybrid_key_pair().identity.text());
  const RecipientPtr to = *parse_recipient(pair.recipient);
  const std::string file = *encrypt({&to, 1}, bytes_of("value"));
  EXPECT_EQ(decrypt(mine, file)->text(), "value");
  EXPECT_THAT(decrypt(other, file), FailsWith(Errc::denied, HasSubstr("")));
}

TEST(Hybrid, ClassicKeysBesideItInAKeyFileGoOnWorking) {
  const KeyPair classic = generate_key_pair();
  const KeyPair hybrid = generate_hybrid_key_pair();
  for (const std::string& text : {fmt::format("{}\n{}\n", hybrid.identity.text(), classic.identity.text()),
                                  fmt::format("{}\n# x\n{}\n", classic.identity.text(), hybrid.identity.text())}) {
    const Identities keys = *parse_identities(text);
    ASSERT_EQ(keys.size(), 2U);
    for (const std::string& recipient : {classic.recipient, hybrid.recipient}) {
      const RecipientPtr to = *parse_recipient(recipient);
      EXPECT_THAT(decrypt(keys, *encrypt({&to, 1}, bytes_of("value"))), Succeeds());
    }
  }
}

TEST(Hybrid, SharesNoFileWithAClassicRecipient) {
  const Recipients both = {*parse_recipient(generate_key_pair().recipient),
                           *parse_recipient(generate_hybrid_key_pair().recipient)};
  EXPECT_THAT(encrypt(both, bytes_of("value")), FailsWith(Errc::usage, HasSubstr("")));
}

TEST(Hybrid, KeysThatAreNoneAreRefused) {
  std::string recipient = generate_hybrid_key_pair().recipient;
  EXPECT_THAT(parse_recipient(recipient.substr(0, recipient.size() - 1)), FailsWith(Errc::invalid_data, HasSubstr("")));
  const std::string beyond(ml_kem::kEncapsulationKey + 32, '\xff');
  EXPECT_THAT(parse_recipient(bech32_encode("age1pq", bytes_of(beyond))),
              FailsWith(Errc::invalid_data, HasSubstr("modulus")));
  EXPECT_THAT(parse_identity(bech32_encode_secret("age-secret-key-pq-", bytes_of("short")).text()),
              FailsWith(Errc::invalid_data, HasSubstr("5")));
}

}  // namespace
}  // namespace vmcred::age
