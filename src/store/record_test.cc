#include "store/record.h"

#include "matchers.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;

TEST(Record, ReadsWhatItWrote) {
  const Record record{.script = "aa",
                      .runtime_inputs = {"openssl", "coreutils"},
                      .files = {{"key", Form::secret}, {"key.pub", Form::open}},
                      .dependencies = {{"shared/base/key", "bb"}},
                      .generated = "2026-01-02T03:04:05Z",
                      .set_by_hand = {{"key", "2026-01-03T03:04:05Z"}},
                      .renewed = {{"key.pub", "2026-01-04T03:04:05Z"}}};
  const Result<Record> read = parse_record(print_record(record));
  ASSERT_THAT(read, testing::Succeeds());
  EXPECT_EQ(*read, record);
}

TEST(Record, TellsTheAgeOfEachValueHoweverItCameToBe) {
  const Record record{.script = "aa",
                      .generated = "2026-01-02T03:04:05Z",
                      .set_by_hand = {{"a", "2026-01-04T03:04:05Z"}},
                      .renewed = {{"a", "2026-01-03T03:04:05Z"}, {"b", "2026-01-05T03:04:05Z"}}};
  EXPECT_EQ(rfc3339(*born(record, "a")), "2026-01-04T03:04:05Z");
  EXPECT_EQ(rfc3339(*born(record, "b")), "2026-01-05T03:04:05Z");
  EXPECT_EQ(rfc3339(*born(record, "c")), "2026-01-02T03:04:05Z");
  EXPECT_THAT(born({.script = "aa", .generated = "yesterday"}, "a"),
              FailsWith(Errc::invalid_data, HasSubstr("yesterday")));
}

TEST(Record, OfANewerVersionIsRefused) {
  EXPECT_THAT(parse_record(R"({"version": 2})"), FailsWith(Errc::invalid_data, HasSubstr("version 2")));
  EXPECT_THAT(parse_record("{}"), FailsWith(Errc::invalid_data, HasSubstr("no version")));
}

TEST(ValueDigest, OfASecretIsThatOfItsCiphertextAlone) {
  EXPECT_THAT(value_digest(Form::secret, "{}"), FailsWith(Errc::invalid_data, HasSubstr("")));
  EXPECT_NE(*value_digest(Form::open, "a"), *value_digest(Form::open, "b"));
}

}  // namespace
}  // namespace vmcred::store
