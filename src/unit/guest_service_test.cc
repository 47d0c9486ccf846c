#include "unit/guest_service.h"

#include "matchers.h"

namespace vmcred::unit {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

Result<std::vector<UnitFile>> units_of(std::string_view json) {
  TRY_LET(const Json services, parse_json(json));
  return guest_services(services);
}

TEST(GuestService, BecomesAUnitAndAWishOfItsTarget) {
  const auto files =
      units_of(R"({"demo":{"description":"Uses 100%","wanted-by":["multi-user.target"],"unit":{"After":["a.service"]},
    "service":{"Type":["oneshot"]},"scripts":{"ExecStart":"echo \"$HOME\" 5%\n\tcat x\\\n","ExecStopPost":"true"}}})");
  ASSERT_THAT(files, Succeeds());
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ(files->at(0).path, "demo.service");
  EXPECT_THAT(files->at(0).text,
              HasSubstr("[Unit]\nDescription=Uses 100%%\nAfter=a.service\n\n[Service]\nType=oneshot\n"
                        "ExecStart=/bin/sh -e -c \"echo \\\"$$HOME\\\" 5%%\\n\\tcat x\\\\\\n\"\nExecStopPost=/bin/sh "
                        "-e -c \"true\"\n"));
  EXPECT_EQ(files->at(1).path, "multi-user.target.d/50-vmcred-demo.conf");
  EXPECT_THAT(files->at(1).text, HasSubstr("[Unit]\nWants=demo.service\n"));
}

TEST(GuestService, RefusesWhatWouldLeaveItsLineOrItsFolder) {
  EXPECT_THAT(units_of(R"({"../x":{}})"), FailsWith(Errc::invalid_data, HasSubstr("'../x'")));
  EXPECT_THAT(units_of(R"({"x":{"service":{"User":["a\nExecStart=b"]}}})"),
              FailsWith(Errc::invalid_data, HasSubstr("no line")));
  EXPECT_THAT(units_of(R"({"x":{"service":{"User]":["a"]}}})"), FailsWith(Errc::invalid_data, HasSubstr("no setting")));
  EXPECT_THAT(units_of(R"({"x":{"scripts":{"User":"root"}}})"), FailsWith(Errc::invalid_data, HasSubstr("no script")));
  EXPECT_THAT(units_of(R"({"x":{"wanted-by":["../t"]}})"), FailsWith(Errc::invalid_data, HasSubstr("no unit")));
}

}  // namespace
}  // namespace vmcred::unit
