#include "credential/smbios.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"

namespace vmcred::credential {
namespace {

using namespace std::string_view_literals;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::Succeeds;

constexpr std::string_view kType11 = "\x0b\x05\x00\x11\x02one\0two\0\0"sv;
constexpr std::string_view kType1 = "\x01\x04\x01\x00\0\0"sv;
constexpr std::string_view kEnd = "\x7f\x04\xff\xfe\0\0"sv;

std::string join(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const std::string_view part : parts) all += part;
  return all;
}

/// Sets the byte at `sum_at` so that the first `size` bytes sum to zero.
std::string with_checksum(std::string bytes, std::size_t from, std::size_t size, std::size_t sum_at) {
  unsigned sum = 0;
  bytes[sum_at] = 0;
  for (std::size_t i = from; i < from + size; ++i) sum += static_cast<unsigned char>(bytes[i]);
  bytes[sum_at] = static_cast<char>(256 - sum % 256);
  return bytes;
}

/// A file as `dmidecode --dump-bin` writes it: the entry point, the table at byte 32.
std::string dump_2x(std::string_view table, char number) {
  std::string entry = join({"_SM_\0\x1f\x02\x08\0\0\0\0\0\0\0\0_DMI_\0"sv, {}, "\0\0\x20\0\0\0\0\0\x28"sv});
  entry[22] = static_cast<char>(table.size());
  entry[28] = number;
  entry = with_checksum(entry, 16, 15, 21);
  entry = with_checksum(entry, 0, 31, 4);
  return join({entry, "\0"sv, table});
}
std::string dump_3x(std::string_view table) {
  std::string entry = join({"_SM3_\0\x18\x03\x02\0\x01\0"sv, "\0\0\0\0\x20\0\0\0\0\0\0\0"sv});
  entry[12] = static_cast<char>(table.size());
  entry = with_checksum(entry, 0, 24, 5);
  return join({entry, "\0\0\0\0\0\0\0\0"sv, table});
}

TEST(Smbios, ReadsStructuresUpToTheEndOfTheTable) {
  const std::string bytes = join({kType1, kType11, kEnd, "garbage"});
  const FoundTable table = read_structures(bytes_of(bytes));
  ASSERT_EQ(table.structures.size(), 3U);
  EXPECT_EQ(table.complaint, "");
  const FoundStructure& found = table.structures[1];
  EXPECT_EQ(found.type, 11);
  EXPECT_EQ(found.handle, 0x1100);
  EXPECT_EQ(found.count, 2);
  EXPECT_EQ(found.offset, 6U);
  ASSERT_EQ(found.strings.size(), 2U);
  EXPECT_EQ(text_of(found.strings[1]), "two");
  EXPECT_EQ(found.raw.size(), kType11.size());
}

TEST(Smbios, SaysWhereATableBreaks) {
  EXPECT_THAT(read_structures(bytes_of(join({kType1, "\x0b\x02\0\0"sv}))).complaint, HasSubstr("byte 6"));
  EXPECT_THAT(read_structures(bytes_of("\x0b\x05\0\x11\x01one"sv)).complaint, HasSubstr("no end"));
  EXPECT_THAT(read_structures(bytes_of("\x0b\x05\0\x11\x01one\0"sv)).complaint, HasSubstr("no end"));
  EXPECT_EQ(read_structures(bytes_of(join({kType1, "\0\0\0\0"sv}))).complaint, "");  // padding
}

// As the kernel (dmi_decode_table) and dmidecode have it: a single NUL where strings would begin ends nothing.
TEST(Smbios, EndsAStructureAtTwoNulsAlone) {
  const std::string table = join({"\x01\x04\x01\x00\0@"sv, kType11, kEnd});
  const FoundTable found = read_structures(bytes_of(table));
  ASSERT_EQ(found.structures.size(), 2U);
  EXPECT_EQ(found.structures[0].type, 1);
  EXPECT_TRUE(found.structures[0].strings.empty());
  EXPECT_EQ(found.structures[1].type, 0x7f);
}

TEST(Smbios, ReadsTheDumpsOfDmidecode) {
  for (const std::string& file : {dump_2x(join({kType1, kType11, kEnd}), 3), dump_3x(join({kType1, kType11, kEnd}))}) {
    const auto dump = read_dump(bytes_of(file));
    ASSERT_THAT(dump, Succeeds());
    ASSERT_TRUE(dump->entry_point);
    ASSERT_EQ(dump->table.structures.size(), 3U);
    EXPECT_EQ(text_of(dump->table.structures[1].strings.at(0)), "one");
  }
  EXPECT_EQ(read_dump(bytes_of(dump_2x(kType11, 1)))->entry_point->minor, 8);
}

TEST(Smbios, EndsAtTheNumberThatA2xEntryPointSays) {
  const auto dump = read_dump(bytes_of(dump_2x(join({kType11, kType11, kType11}), 2)));
  ASSERT_THAT(dump, Succeeds());
  EXPECT_EQ(dump->table.structures.size(), 2U);  // as Linux does: what comes after does not exist for the guest
}

TEST(Smbios, RefusesDamage) {
  std::string file = dump_3x(kEnd);
  file[10] = 'x';
  EXPECT_THAT(read_dump(bytes_of(file)), FailsWith(Errc::invalid_data, HasSubstr("damaged")));
  EXPECT_THAT(read_dump(bytes_of("_SM_")), FailsWith(Errc::invalid_data, HasSubstr("damaged")));
  EXPECT_THAT(read_dump(bytes_of("")), FailsWith(Errc::invalid_data, HasSubstr("neither")));
  EXPECT_THAT(read_dump(bytes_of("hello")), FailsWith(Errc::invalid_data, HasSubstr("neither")));
  EXPECT_THAT(read_dump(bytes_of("[machines.host]\n" + std::string(200, 'x'))),
              FailsWith(Errc::invalid_data, HasSubstr("neither")));
  std::string away = dump_3x(kEnd);
  away[18] = 1;  // 64 KiB
  away = with_checksum(away, 0, 24, 5);
  EXPECT_THAT(read_dump(bytes_of(away)), FailsWith(Errc::invalid_data, HasSubstr("not in this file")));
}

}  // namespace
}  // namespace vmcred::credential
