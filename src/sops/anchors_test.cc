#include "sops/anchors.h"

#include "matchers.h"

namespace vmcred::sops {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(Anchors, AreFoundWhereverYamlLetsThemStand) {
  const auto found = anchored_texts(R"(keys:
  - &admin_alice age1alice # at home
  # - &old age1old
  - &server_web
    age1web
  - &quoted "ssh-ed25519 AAAA bob@desk"
groups: { all: [&flow age1flow, *admin_alice], &anchored_key other: x }
creation_rules:
  - path_regex: x
    key_groups: [{ age: [*admin_alice, &late 'age1late'] }]
)");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre(Pair("admin_alice", "age1alice"), Pair("server_web", "age1web"),
                                  Pair("quoted", "ssh-ed25519 AAAA bob@desk"), Pair("flow", "age1flow"),
                                  Pair("anchored_key", "other"), Pair("late", "age1late")));
}

TEST(Anchors, WhatIsNoYamlSaysWhere) {
  EXPECT_THAT(anchored_texts("a: [\n"), FailsWith(Errc::invalid_data, HasSubstr("line")));
}

}  // namespace
}  // namespace vmcred::sops
