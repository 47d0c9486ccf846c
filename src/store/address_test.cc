#include "store/address.h"

#include <gtest/gtest.h>

namespace vmcred::store {
namespace {

using declare::Sharing;

VarId var(Sharing sharing, std::string owner, std::string generator, std::string file) {
  return {
      .generator = {.placement = {.sharing = sharing, .owner = std::move(owner)}, .generator = std::move(generator)},
      .file = std::move(file)};
}

SecretPlace place(const VarId& id) {
  return {.folder = Repository::generator_path(id.generator) + "/" + id.file, .var = id};
}

const VarId kOfMachine = var(Sharing::per_machine, "web", "token", "key");
const VarId kOfVm = var(Sharing::per_vm, "web", "token", "key");
const VarId kOther = var(Sharing::per_machine, "db", "token", "key");
const VarId kShared = var(Sharing::shared, "", "token", "key");
const SecretPlace kBeside = {.folder = "sops/secrets/web-age.key", .var = {}};
const SecretPlace kExport = {.folder = "vars/per-export/mail/dkim", .var = {}};

/// Who of them all is meant: m(achine), v(m), o(ther machine), s(hared), b(eside vars), e(xport).
std::string meant(std::string_view text, Patterns patterns = Patterns::no) {
  const Address address = read_address(text);
  std::string names;
  for (const auto& [name, id] : {std::pair{'m', kOfMachine}, {'v', kOfVm}, {'o', kOther}, {'s', kShared}})
    if (means(address, place(id), patterns)) names += name;
  if (means(address, kBeside, patterns)) names += 'b';
  if (means(address, kExport, patterns)) names += 'e';
  return names;
}

TEST(Address, ShortFormsMeanEverybodyOfThatName) {
  EXPECT_EQ(meant("token/key"), "mvos");
  EXPECT_EQ(meant("web:token/key"), "mv");
  EXPECT_EQ(meant("db:token/key"), "o");
  EXPECT_EQ(meant("token/other"), "");
  EXPECT_EQ(meant("web-age.key"), "b");
  EXPECT_EQ(meant("mail:dkim"), "e");
  EXPECT_EQ(meant("dkim"), "e");
}

TEST(Address, WhatCommandsPrintMeansExactlyThat) {
  for (const VarId& id : {kOfMachine, kOfVm, kOther, kShared}) {
    const Address printed = read_address(spoken(id));
    for (const VarId& each : {kOfMachine, kOfVm, kOther, kShared})
      EXPECT_EQ(means(printed, each), each == id) << spoken(id);
  }
  EXPECT_EQ(meant(kBeside.name()), "b");
  EXPECT_EQ(meant(kExport.name()), "e");
}

TEST(Address, PathsOfTheStoreAndBelowRunMeanExactlyThat) {
  for (const VarId& id : {kOfMachine, kOfVm, kOther, kShared})
    for (const std::string& text : {rel_path(id), "vars/" + rel_path(id), "vars/" + rel_path(id) + "/secret",
                                    "vars/" + rel_path(id) + "/", "/run/vmcred/vars/" + rel_path(id)}) {
      const Address address = read_address(text);
      for (const VarId& each : {kOfMachine, kOfVm, kOther, kShared})
        EXPECT_EQ(means(address, each), each == id) << text;
    }
  EXPECT_EQ(meant("sops/secrets/web-age.key/secret"), "b");
  EXPECT_EQ(meant("vars/per-export/mail/dkim/"), "e");
}

TEST(Address, AFileMayBeCalledSecret) {
  const VarId odd = var(Sharing::shared, "", "token", "secret");
  EXPECT_TRUE(means(read_address("token/secret"), odd));
  EXPECT_TRUE(means(read_address("vars/shared/token/secret/secret"), odd));
  EXPECT_TRUE(means(read_address("token/secret (shared)"), odd));
}

TEST(Address, TheShortestFormReadsBack) {
  EXPECT_EQ(address_of(kOfMachine), "web:token/key");
  EXPECT_EQ(address_of(kShared), "token/key");
  EXPECT_EQ(address_of(kBeside), "web-age.key");
  EXPECT_EQ(address_of(kExport), "mail:dkim");
  EXPECT_TRUE(means(read_address(address_of(kOfVm)), kOfVm));
}

TEST(Address, PatternsMeanVars) {
  EXPECT_EQ(meant("token/*", Patterns::yes), "mvos");
  EXPECT_EQ(meant("web:*", Patterns::yes), "mv");
  EXPECT_EQ(meant("w?b:tok[e]n/key", Patterns::yes), "mv");
  EXPECT_EQ(meant("*/* (shared)", Patterns::yes), "s");
  EXPECT_EQ(meant("token/*"), "") << "where nobody asked for patterns";
}

TEST(Address, APatternGetsNoMachinesKeyUnlessItNamesThem) {
  EXPECT_EQ(meant("*", Patterns::yes), "mvos");
  EXPECT_EQ(meant("*:*", Patterns::yes), "mvo");
  EXPECT_EQ(meant("sops/secrets/*", Patterns::yes), "b");
}

}  // namespace
}  // namespace vmcred::store
