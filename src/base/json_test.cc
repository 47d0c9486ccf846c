#include "base/json.h"

#include "matchers.h"

namespace vmcred {
namespace {

using testing::FailsWith;
using testing::HasSubstr;

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(dump_json(parse_json(R"({"b":1,"a":[true,null,2.5,"x"],"c":{}})").value()),
            R"({"b":1,"a":[true,null,2.5,"x"],"c":{}})");
}

TEST(ParseJson, RefusesDuplicateKeysWithTheirPlace) {
  EXPECT_THAT(parse_json("{\"a\":1,\n \"a\":2}"), FailsWith(Errc::invalid_data, HasSubstr("line 2")));
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += fmt::format("\"k{}\":1,", i);
  EXPECT_THAT(parse_json(many + "\"k50\":2}"), FailsWith(Errc::invalid_data, HasSubstr("'k50' stands there twice")));
  EXPECT_THAT(parse_json(many + "\"new\":2}"), testing::Succeeds());
}

TEST(ParseJson, RefusesWhatItCannotHold) {
  EXPECT_THAT(parse_json("[18446744073709551615]"), FailsWith(Errc::invalid_data, HasSubstr("too large")));
  EXPECT_THAT(parse_json("[99999999999999999999999]"), FailsWith(Errc::invalid_data, HasSubstr("too large")));
  EXPECT_THAT(parse_json(std::string(100, '[')), FailsWith(Errc::invalid_data, HasSubstr("deeper than 64")));
  EXPECT_THAT(parse_json("[1] x"), FailsWith(Errc::invalid_data, HasSubstr("line 1")));
  EXPECT_THAT(parse_json(""), FailsWith(Errc::invalid_data, HasSubstr("line 1")));
  EXPECT_THAT(parse_json("[1]", {.max_bytes = 2}), FailsWith(Errc::invalid_data, HasSubstr("larger than 2")));
}

TEST(ParseJson, NeverQuotesTheInputInAnError) {
  const auto broken = parse_json(R"({"password": "hunter2" oops})");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, ::testing::Not(HasSubstr("hunter2")));
}

TEST(DumpJson, IndentsWithTabs) {
  EXPECT_EQ(dump_json(Json::object().set("a", Json::strings({"x"})), Indent::tab),
            "{\n\t\"a\": [\n\t\t\"x\"\n\t]\n}\n");
}

TEST(DumpJson, WritesNoControlCharacterForPeopleAndNoneIsLost) {
  const std::string text = "\x1b[2J\x7f\xc2\x9b\xc2\xa0\xc3\xbc";
  const std::string dumped = dump_json(Json::object().set("a", text), Indent::two_spaces);
  EXPECT_EQ(dumped, "{\n  \"a\": \"\\u001b[2J\\u007f\\u009b\xc2\xa0\xc3\xbc\"\n}\n");
  EXPECT_EQ(parse_json(dumped, {.max_bytes = 100, .max_depth = 8})->string_at("a"), text);
}

TEST(DumpJson, WithoutAnIndentEscapesNoMoreThanItMust) {
  EXPECT_EQ(dump_json(Json::strings({"\x1b\x7f\xc2\x9b"})), "[\"\\u001b\x7f\xc2\x9b\"]");
}

TEST(Json, DoesNotEndAtAZeroByte) {
  for (const std::string_view text :
       {std::string_view("{}\0", 3), std::string_view("[1]\0{}", 6), std::string_view("\0", 1)})
    EXPECT_FALSE(parse_json(text, {.max_bytes = 100, .max_depth = 8}).has_value());
}

}  // namespace
}  // namespace vmcred
