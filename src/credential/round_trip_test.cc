// Properties: what is encoded is what a guest's systemd finds, for every byte value, name and size.
#include <gtest/gtest.h>
// gtest first
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "base/base64.h"
#include "credential/encode.h"
#include "credential/examine.h"
#include "credential/limits.h"
#include "credential/oem_string.h"
#include "credential/smbios.h"

namespace vmcred::credential {
namespace {

rc::Gen<std::string> any_name() {
  return rc::gen::mapcat(rc::gen::inRange(1, 40), [](int size) {
    return rc::gen::container<std::string>(
        static_cast<std::size_t>(size),
        rc::gen::suchThat(rc::gen::inRange<char>(0x20, 0x7f), [](char c) { return c != '/' && c != ':' && c != '='; }));
  });
}

rc::Gen<std::string> any_bytes(int most) {
  return rc::gen::mapcat(rc::gen::inRange(0, most), [](int size) {
    return rc::gen::container<std::string>(static_cast<std::size_t>(size), rc::gen::arbitrary<char>());
  });
}

struct Made {
  declare::Vm vm;
  std::map<std::string, std::size_t> sizes;
  Values values;
  std::map<std::string, std::string> by_guest;
};

Made make_vm(std::size_t count, int most) {
  Made made;
  made.vm.name = "test-vm";
  for (std::size_t i = 0; i < count; ++i) {
    std::string guest = *any_name();
    if (guest == "." || guest == ".." || made.by_guest.contains(guest)) continue;
    const std::string value = *any_bytes(most);
    const std::string host = "host-" + std::to_string(i);
    made.vm.credentials.push_back({.name = std::to_string(i),
                                   .host = host,
                                   .guest = guest,
                                   .from = declare::VarRef{"g", "f"},
                                   .allow_empty = true});
    made.sizes[host] = value.size();
    made.values.emplace(host, Secret::copy_of(value));
    made.by_guest[guest] = value;
  }
  return made;
}

RC_GTEST_PROP(RoundTrip, WhatIsPlannedArrivesWholeInA252Guest, ()) {
  const Made made = make_vm(*rc::gen::inRange<std::size_t>(1, 40), 600);
  const Plan plan = make_plan({.vm = made.vm, .sizes = made.sizes});
  RC_ASSERT(plan.deliverable());
  std::map<std::string, std::string> arrived;
  std::size_t bytes = 0;
  for (const Structure& structure : plan.structures) {
    RC_ASSERT(structure.raw_size <= kPageStructure);
    RC_ASSERT(structure.entries.size() <= kMaxStrings);
    bytes += structure.raw_size;
    const auto raw = encode_structure(structure, made.values);
    RC_ASSERT(raw.has_value());
    RC_ASSERT(raw->size() == structure.raw_size);
    const FoundTable table = read_structures(raw->bytes());
    RC_ASSERT(table.structures.size() == 1U);
    RC_ASSERT(table.structures[0].complete);
    RC_ASSERT(table.structures[0].count == structure.entries.size());
    for (const SeenString& seen : examine(table.structures, 252)) {
      RC_ASSERT(seen.fate == Fate::imported);
      const auto value = value_in(seen);
      RC_ASSERT(value.has_value());
      arrived[std::string(read_credential_string(text_of(seen.text))->name)] = std::string(value->text());
    }
  }
  RC_ASSERT(bytes <= kMaxStructures);
  for (const FwCfgItem& item : plan.fw_cfg) {
    const auto raw = encode_item(item, made.values);
    RC_ASSERT(raw.has_value());
    arrived[item.guest] = std::string(raw->text());
  }
  RC_ASSERT(arrived == made.by_guest);
}

RC_GTEST_PROP(RoundTrip, ThePlanDoesNotDependOnTheOrder, ()) {
  Made made = make_vm(*rc::gen::inRange<std::size_t>(2, 20), 3500);
  const Plan plan = make_plan({.vm = made.vm, .sizes = made.sizes});
  std::ranges::reverse(made.vm.credentials);
  const Plan other = make_plan({.vm = made.vm, .sizes = made.sizes});
  RC_ASSERT(plan.structures.size() == other.structures.size());
  for (std::size_t i = 0; i < plan.structures.size(); ++i) {
    RC_ASSERT(plan.structures[i].raw_size == other.structures[i].raw_size);
    RC_ASSERT(plan.structures[i].entries[0].guest == other.structures[i].entries[0].guest);
  }
}

RC_GTEST_PROP(RoundTrip, WhatTheReaderFindsIsWithinItsInput, ()) {
  const std::string bytes = *any_bytes(400);
  const FoundTable table = read_structures(bytes_of(bytes));
  std::size_t at = 0;
  for (const FoundStructure& structure : table.structures) {
    RC_ASSERT(structure.offset == at);
    at += structure.raw.size();
    RC_ASSERT(at <= bytes.size());
  }
  (void)examine(table.structures, 252);
}

TEST(RoundTrip, CarriesEveryByteValue) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  Values values;
  values.emplace("host-all", Secret::copy_of(all));
  declare::Vm vm;
  vm.credentials = {{.name = "all", .host = "host-all", .guest = "ALL", .from = declare::VarRef{"g", "all"}}};
  const std::map<std::string, std::size_t> sizes = {{"host-all", 256}};
  const Plan plan = make_plan({.vm = vm, .sizes = sizes});
  ASSERT_EQ(plan.structures.size(), 1U);
  const auto raw = encode_structure(plan.structures[0], values);
  ASSERT_TRUE(raw);
  const FoundTable table = read_structures(raw->bytes());
  const auto seen = examine(table.structures, 252);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(value_in(seen[0])->text(), all);
}

}  // namespace
}  // namespace vmcred::credential
