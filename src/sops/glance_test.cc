#include "sops/glance.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "age/age.h"
#include "age/test_support.h"
#include "matchers.h"
#include "sops/sops.h"

namespace vmcred::sops {
namespace {

using testing::Succeeds;

constexpr std::string_view kOfSops = R"({
	"data": "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]",
	"sops": {
		"kms": null,
		"gcp_kms": [],
		"age": [
			{"recipient": "age1a", "enc": "-----BEGIN\nAGE\n"},
			{"enc": "x", "recipient": "age1b"}
		],
		"lastmodified": "2026-01-02T03:04:05Z",
		"mac": "ENC[m]",
		"pgp": null,
		"unencrypted_suffix": "_unencrypted",
		"version": "3.9.1"
	}
})";

void expect_agreement(std::string_view text) {
  const auto seen = glance(text);
  if (!seen) return;
  const auto file = parse(text);
  ASSERT_THAT(file, Succeeds()) << text;
  EXPECT_EQ(file->data, seen->data);
  const std::vector<std::string> all = recipients(*file);
  EXPECT_TRUE(std::ranges::equal(all, seen->recipients));
  EXPECT_TRUE(pgp_fingerprints(*file).empty());
}

RC_GTEST_PROP(Glance, SeesWhatWeWrite, (const std::string& value)) {
  age::Recipients to = {testing::recipient()};
  for (int more = *rc::gen::inRange(0, 3); more > 0; --more)
    to.push_back(*age::parse_recipient(age::generate_key_pair().recipient));
  const File file = *encrypt(bytes_of(value), to);
  const std::string text = print(file);
  const auto seen = glance(text);
  RC_ASSERT(seen.has_value());
  RC_ASSERT(seen->data == file.data);
  RC_ASSERT(std::ranges::equal(recipients(file), seen->recipients));
}

TEST(Glance, SeesWhatSopsWrites) {
  ASSERT_TRUE(glance(kOfSops));
  expect_agreement(kOfSops);
  EXPECT_EQ(glance(kOfSops)->recipients.size(), 2U);
}

TEST(Glance, SaysNothingOfAnUnusualOrDamagedFile) {
  for (const auto& [what, instead] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"age1b", "age1a"},
                                                                  {"\"mac\"", "\"mac2\""},
                                                                  {"ENC[m]", ""},
                                                                  {"2026-01-02T", "2026-01-02 "},
                                                                  {"null,", "[{}],"},
                                                                  {"\"data\"", "\"date\""},
                                                                  {"YQ==", "Y\\u0051=="},
                                                                  {"\\nAGE", "\\tAGE"},
                                                                  {"3.9.1", "3.9.1\xff"},
                                                                  {"\"pgp\"", "\"age\""},
                                                                  {"{\"enc\"", "{\"more\": 1, \"enc\""},
                                                                  {"\"enc\": \"x\"", "\"enc\": \"\""},
                                                                  {"\t\t],", "\t\t,],"}}) {
    std::string text(kOfSops);
    const std::size_t place = text.find(what);
    ASSERT_NE(place, std::string::npos) << what;
    text.replace(place, what.size(), instead);
    EXPECT_FALSE(glance(text)) << text;
  }
  for (std::size_t size = 0; size < kOfSops.size(); ++size) EXPECT_FALSE(glance(kOfSops.substr(0, size))) << size;
  EXPECT_FALSE(glance(std::string(kOfSops) + "x"));
}

TEST(Glance, NeverDisagreesWithParseOnAChangedByte) {
  for (std::size_t at = 0; at < kOfSops.size(); ++at)
    for (const char byte : {'"', '\\', ',', '}', ']', 'n', '0', '\0'}) {
      std::string text(kOfSops);
      text[at] = byte;
      expect_agreement(text);
    }
}

}  // namespace
}  // namespace vmcred::sops
