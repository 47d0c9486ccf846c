#include "vmm/blob.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "matchers.h"

namespace vmcred::vmm {
namespace {

using credential::OemEntry;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::secret;
using testing::Succeeds;

credential::Values values() {
  credential::Values all;
  all.emplace("host-key", secret("hunter2"));
  return all;
}

TEST(Body, PutsSecretsBetweenItsPieces) {
  const std::vector<BodyPiece> pieces = {"{\"a\":[\"", OemEntry{.guest = "KEY", .host = "host-key", .size = 7}, "\"]}"};
  const auto body = encode_body(pieces, values());
  ASSERT_THAT(body, Succeeds());
  EXPECT_EQ(body->text(), "{\"a\":[\"io.systemd.credential.binary:KEY=aHVudGVyMg==\"]}");
}

TEST(Body, EscapesWhatJsonEscapes) {
  const std::string value = "q\"b\\n\n\x01";
  const std::vector<BodyPiece> pieces = {"\"", OemEntry{.guest = "A", .text = value, .size = value.size()}, "\""};
  const auto body = encode_body(pieces, {});
  ASSERT_THAT(body, Succeeds());
  const auto json = parse_json(body->text());
  ASSERT_THAT(json, Succeeds());
  EXPECT_EQ(*json->if_string(), "io.systemd.credential:A=" + value);
}

TEST(Body, QuotesAKernelWord) {
  const std::vector<BodyPiece> pieces = {"\"x ", KernelWord{{.guest = "KEY", .host = "host-key", .size = 7}}, "\""};
  const auto body = encode_body(pieces, values());
  ASSERT_THAT(body, Succeeds());
  EXPECT_EQ(body->text(), "\"x \\\"systemd.set_credential=KEY:hunter2\\\"\"");
}

TEST(Body, FailsWithoutAValue) {
  const std::vector<BodyPiece> pieces = {OemEntry{.guest = "KEY", .host = "host-other", .size = 7}};
  EXPECT_THAT(encode_body(pieces, values()), FailsWith(Errc::not_found, HasSubstr("'host-other'")));
}

TEST(Blob, GivesEachKindItsBytes) {
  EXPECT_EQ(encode_blob(TextBlob{"text"}, {})->text(), "text");
  EXPECT_EQ(encode_blob(ValueBlob{{.guest = "KEY", .host = "host-key", .size = 7}}, values())->text(), "hunter2");
  const auto overlay =
      encode_blob(InitrdBlob{.base = "", .entries = {{.guest = "KEY", .host = "host-key", .size = 7}}}, values(), 1);
  ASSERT_THAT(overlay, Succeeds());
  EXPECT_EQ((overlay->size() + 1) % 4, 0U);
}

}  // namespace
}  // namespace vmcred::vmm
