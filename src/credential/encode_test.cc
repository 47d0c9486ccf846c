#include "credential/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "credential/examine.h"
#include "credential/limits.h"
#include "credential/oem_string.h"
#include "credential/smbios.h"
#include "matchers.h"

namespace vmcred::credential {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::secret;
using testing::Succeeds;

Values values(std::initializer_list<std::pair<const char*, std::string>> all) {
  Values out;
  for (const auto& [host, value] : all) out.emplace(host, secret(value));
  return out;
}

Structure structure_of(std::vector<OemEntry> entries) {
  Structure structure = {.handle = 0x1101, .entries = std::move(entries), .raw_size = kStructureOverhead};
  for (const OemEntry& entry : structure.entries) {
    structure.raw_size += entry.guest.empty()
                              ? entry.size + 1
                              : oem_string_cost(entry.text ? Form::text : Form::binary, entry.guest, entry.size);
  }
  return structure;
}

TEST(Encode, WritesAStructureByteForByte) {
  const auto raw = encode_structure(structure_of({{.guest = "API_KEY", .host = "host-api-key", .size = 7},
                                                  {.guest = "ENV", .text = "test", .size = 4}}),
                                    values({{"host-api-key", "hunter2"}}));
  ASSERT_THAT(raw, Succeeds());
  using namespace std::string_view_literals;
  EXPECT_EQ(raw->text(),
            "\x0b\x05\x01\x11\x02"
            "io.systemd.credential.binary:API_KEY=aHVudGVyMg==\0"
            "io.systemd.credential:ENV=test\0\0"sv);
}

TEST(Encode, KeepsAUsersOwnStringAsItIs) {
  const auto text = encode_oem_string({.guest = "", .text = "com.example:a=b", .size = 15}, {});
  ASSERT_THAT(text, Succeeds());
  EXPECT_EQ(text->text(), "com.example:a=b");
}

TEST(Encode, RefusesAValueThatIsNotThereOrOfAnotherSize) {
  const auto structure = structure_of({{.guest = "A", .host = "host-a", .size = 1}});
  EXPECT_THAT(encode_structure(structure, {}), FailsWith(Errc::not_found, HasSubstr("'host-a'")));
  EXPECT_THAT(encode_structure(structure, values({{"host-a", "xyz"}})), FailsWith(Errc::mismatch, HasSubstr("'A'")));
}

TEST(Encode, RefusesAStructureThatDoesNotMatchItsPlan) {
  Structure structure = structure_of({{.guest = "A", .host = "host-a", .size = 1}});
  ++structure.raw_size;
  EXPECT_THAT(encode_structure(structure, values({{"host-a", "x"}})), FailsWith(Errc::mismatch, HasSubstr("plan")));
  EXPECT_THAT(encode_structure({}, {}), FailsWith(Errc::mismatch, HasSubstr("0 strings")));
}

TEST(Encode, GivesAnFwCfgItemItsBytesAlone) {
  const std::string bytes("a\0b\nc,", 6);
  const auto item = encode_item({.guest = "A", .host = "host-a", .size = 6}, values({{"host-a", bytes}}));
  ASSERT_THAT(item, Succeeds());
  EXPECT_EQ(item->text(), bytes);
}

TEST(Encode, AppendsAnArchiveToAnInitrd) {
  const std::vector<OemEntry> entries = {{.guest = "API_KEY", .host = "host-api-key", .size = 7}};
  const auto archive = encode_initrd(entries, values({{"host-api-key", "hunter2"}}), 13);
  ASSERT_THAT(archive, Succeeds());
  const std::string_view text = archive->text();
  EXPECT_EQ(text.substr(0, 3), std::string_view("\0\0\0", 3));
  EXPECT_EQ(text.substr(3, 6), "070701");
  EXPECT_EQ((13 + text.size()) % 4, 0U);
  EXPECT_THAT(std::string(text), HasSubstr(".extra/system_credentials/API_KEY.cred"));
  EXPECT_THAT(std::string(text), HasSubstr("hunter2"));
  EXPECT_THAT(std::string(text), HasSubstr("TRAILER!!!"));
}

}  // namespace
}  // namespace vmcred::credential
