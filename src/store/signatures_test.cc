#include "store/signatures.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "matchers.h"
#include "store/access.h"
#include "store/publish.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::secret;
using testing::Succeeds;
using testing::TestFolder;

constexpr const char* kFolder = "vars/shared/g";

age::SshPrivateKey key_of(unsigned char first) {
  Secret seed(32);
  seed.writable()[0] = first;
  const Ed25519Point point = ed25519_public(seed.bytes());
  return {.public_key = age::ssh_public_key(point), .key = std::move(seed)};
}

/// A project that alice (1) and bob (2) trust each other in.
struct Project {
  TestFolder folder;
  Repository repository = Repository::open(folder.path()).value();

  Project() {
    demand(1);
    EXPECT_THAT(change({.files = {{"key/secret", "ciphertext"}, {"name/value", "public"}},
                        .links = {{"key/users/alice", "../../../../../sops/users/alice"}}}),
                Succeeds());
    demand(2);
  }
  void demand(unsigned char who) {
    auto trusted = age::TrustedSigners::parse(
        fmt::format("alice {}\nbob {}\n", key_of(1).public_key.line(), key_of(2).public_key.line()));
    repository.demand(std::make_shared<Signatures>(*std::move(trusted), key_of(who)));
  }
  [[nodiscard]] Result<> change(const Change& what, const std::string& where = kFolder) const {
    TRY_LET(const Lock lock, Lock::take(repository, Wait::yes));
    return publish(repository, lock, where, what);
  }
  [[nodiscard]] std::string path(const std::string& inner) const { return folder.path() + "/" + inner; }
  [[nodiscard]] Result<std::string> read(const std::string& inner = "vars/shared/g/key/secret") const {
    return repository.read_proven(inner);
  }
};

TEST(Signatures, WhatIsPublishedIsSignedAndReadByOthers) {
  const Project project;
  EXPECT_EQ(*project.read(), "ciphertext");
  EXPECT_EQ(*static_cast<const Signatures*>(project.repository.proof())->signer(project.repository.root(), kFolder),
            "alice");
  // The next change is bob's; what he did not touch is still there.
  ASSERT_THAT(project.change({.files = {{"name/value", "other"}}}), Succeeds());
  EXPECT_EQ(*static_cast<const Signatures*>(project.repository.proof())->signer(project.repository.root(), kFolder),
            "bob");
  EXPECT_EQ(*project.read(), "ciphertext");
}

TEST(Signatures, NoFileOfASignedFolderCanBeChangedAddedOrTaken) {
  for (const char* command :
       {"printf forged > vars/shared/g/key/secret", "printf forged > vars/shared/g/name/value",
        "mkdir vars/shared/g/new; printf x > vars/shared/g/new/secret", "rm vars/shared/g/name/value",
        "ln -s ../../../../../sops/users/bob vars/shared/g/key/users/bob", "rm vars/shared/g/.vmcred.sig",
        "printf x > vars/shared/g/.vmcred.sig"}) {
    SCOPED_TRACE(command);
    const Project project;
    ASSERT_TRUE(run({.argv = {"/bin/sh", "-c", command}, .folder = project.folder.path()})->status.ok());
    const auto read = project.read();
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr("'vars/shared/g' cannot be trusted"));
    // Nor is a forgery signed in passing.
    EXPECT_FALSE(project.change({.files = {{"name/value", "other"}}}));
  }
}

TEST(Signatures, AFolderInAnothersPlaceIsNoticed) {
  const Project project;
  ASSERT_THAT(project.change({.files = {{"key/secret", "other"}}}, "vars/shared/h"), Succeeds());
  ASSERT_EQ(::rename(project.path("vars/shared/g").c_str(), project.path("vars/shared/x").c_str()), 0);
  ASSERT_EQ(::rename(project.path("vars/shared/h").c_str(), project.path("vars/shared/g").c_str()), 0);
  EXPECT_THAT(project.read(), FailsWith(Errc::mismatch, HasSubstr("changed since it was signed")));
}

TEST(Signatures, OnlyWhereNothingIsSignedTheExemptionIsNamed) {
  Project project;
  auto trusted = age::TrustedSigners::parse("bob " + key_of(2).public_key.line());
  const auto exempt = [&] { return std::make_shared<Signatures>(*trusted, key_of(2), real_clock(), "exempt it"); };
  ASSERT_THAT(project.change({.files = {{"key/secret", "other"}}}, "vars/shared/h"), Succeeds());
  ASSERT_EQ(::unlink(project.path("vars/shared/g/.vmcred.sig").c_str()), 0);
  project.repository.demand(exempt());
  EXPECT_THAT(project.read().error().hint, ::testing::Not(HasSubstr("exempt it")));
  ASSERT_EQ(::unlink(project.path("vars/shared/h/.vmcred.sig").c_str()), 0);
  project.repository.demand(exempt());
  EXPECT_THAT(project.read().error().hint, HasSubstr("exempt it"));
}

TEST(Signatures, AStrangersSignatureDoesNotCount) {
  Project project;
  auto trusted = age::TrustedSigners::parse("bob " + key_of(2).public_key.line());
  project.repository.demand(std::make_shared<Signatures>(*std::move(trusted), key_of(2)));
  EXPECT_THAT(project.read(), FailsWith(Errc::denied, HasSubstr("not trusted")));
}

TEST(Signatures, WhatChangesAfterTheFirstLookIsNotReadEither) {
  const Project project;
  ASSERT_THAT(project.read(), Succeeds());
  ASSERT_THAT(write_file(project.path("vars/shared/g/key/secret"), "forged", 0644), Succeeds());
  EXPECT_THAT(project.read(), FailsWith(Errc::mismatch, HasSubstr("changed while it was read")));
}

TEST(Signatures, WhatIsSwappedBetweenTheLookAndTheWriteIsNotSigned) {
  for (const char* command :
       {"printf forged > vars/shared/g/key/secret", "mkdir vars/shared/g/new; printf x > vars/shared/g/new/secret",
        "rm vars/shared/g/key/secret", "ln -s ../../../../../sops/users/bob vars/shared/g/key/users/bob",
        "ln -sfn ../../../../../sops/users/bob vars/shared/g/key/users/alice"}) {
    SCOPED_TRACE(command);
    const Project project;
    ASSERT_THAT(project.read(), Succeeds());  // verified: then comes a question, or a key that waits for a touch
    ASSERT_TRUE(run({.argv = {"/bin/sh", "-c", command}, .folder = project.folder.path()})->status.ok());
    EXPECT_THAT(project.change({.files = {{"name/value", "other"}}}),
                FailsWith(Errc::mismatch, HasSubstr("'vars/shared/g' is not signed: somebody else changed it")));
  }
}

TEST(Signatures, OfAFolderThatIsNewHoldNothingThatSomebodyPutThereFirst) {
  const Project project;
  const Lock lock = Lock::take(project.repository, Wait::yes).value();
  EXPECT_THAT(sign_as_it_is(project.repository, lock, kFolder, {}),
              FailsWith(Errc::mismatch, HasSubstr("somebody else changed it")));
}

TEST(Signatures, ALinkThatAppearsAfterTheFirstLookMakesNoReader) {
  const Project project;
  Principals principals(project.repository);
  ASSERT_THAT(project.read(), Succeeds());
  ASSERT_EQ(::symlink("../../../../../sops/users/bob", project.path("vars/shared/g/key/users/bob").c_str()), 0);
  EXPECT_THAT(principals.acl("vars/shared/g/key"), FailsWith(Errc::mismatch, HasSubstr("changed while it was read")));
}

TEST(Signatures, WithoutAKeyOfOnesOwnNothingIsChanged) {
  Project project;
  auto trusted = age::TrustedSigners::parse("alice " + key_of(1).public_key.line());
  project.repository.demand(std::make_shared<Signatures>(*trusted, std::nullopt));
  EXPECT_EQ(*project.read(), "ciphertext");
  EXPECT_THAT(project.change({.files = {{"name/value", "x"}}}), FailsWith(Errc::denied, HasSubstr("no key to sign")));
  project.repository.demand(std::make_shared<Signatures>(*trusted, key_of(9)));
  EXPECT_THAT(project.change({.files = {{"name/value", "x"}}}),
              FailsWith(Errc::denied, HasSubstr("your own signing key")));
}

TEST(Signatures, WhoDemandsNoneDoesNotBreakThoseOfOthers) {
  Project project;
  project.repository.demand(nullptr);
  EXPECT_THAT(project.change({.files = {{"name/value", "x"}}}), FailsWith(Errc::denied, HasSubstr("is signed")));
}

TEST(Signatures, FollowAFolderToItsNewPlaceAndGoWithTheLastFile) {
  const Project project;
  const Lock lock = Lock::take(project.repository, Wait::yes).value();
  ASSERT_THAT(move_folder(project.repository, lock, kFolder, "vars/shared/h"), Succeeds());
  EXPECT_EQ(*project.read("vars/shared/h/key/secret"), "ciphertext");
  ASSERT_THAT(publish(project.repository, lock, "vars/shared/h", {.remove = {"key", "name"}}), Succeeds());
  EXPECT_FALSE(exists(project.path("vars/shared/h")));
}

TEST(Signatures, ASignedFolderSaysInPlainTextWhatIsSigned) {
  const Project project;
  const Fd tree = open_folder(project.path(kFolder)).value();
  const Statement statement = make_statement(tree, kFolder).value();
  EXPECT_THAT(statement.text, HasSubstr("vmcred folder 1\nfolder vars/shared/g\nfile key/secret "));
  EXPECT_THAT(statement.text, HasSubstr("\nlink key/users/alice ../../../../../sops/users/alice\n"));
  EXPECT_THAT(statement.text, ::testing::Not(HasSubstr(".vmcred.sig")));
}

TEST(SignedFolder, IsTheGeneratorsOrThePrincipals) {
  EXPECT_EQ(signed_folder("vars/shared/g/f/secret"), "vars/shared/g");
  EXPECT_EQ(signed_folder("vars/per-machine/web/g"), "vars/per-machine/web/g");
  EXPECT_EQ(signed_folder("vars/per-vm/v/g/f"), "vars/per-vm/v/g");
  EXPECT_EQ(signed_folder("sops/groups/admins/users"), "sops/groups/admins");
  for (const char* none : {"vars/shared", "vars/per-machine/web", "vmcred.toml", "sops", "varsity/shared/g"})
    EXPECT_EQ(signed_folder(none), "") << none;
}

}  // namespace
}  // namespace vmcred::store
