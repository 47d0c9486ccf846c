#include "store/manifest.h"

#include <unistd.h>

#include "age/sshsig.h"
#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::some_ssh_key;
using testing::Succeeds;
using testing::TestFolder;

const SystemTime kNow = *parse_rfc3339("2026-06-15T12:00:00Z");

/// A project as it lies on a host.
struct Deployed {
  TestFolder folder;
  age::SshPrivateKey key = some_ssh_key();
  age::TrustedSigners trusted = *age::TrustedSigners::parse("alice " + key.public_key.line());
  Manifest manifest = {.machine = "web", .counter = 7, .key = "age1x"};

  Deployed() {
    put("vmcred.json", "{}");
    put("vars/shared/g/f/secret", "ciphertext");
    sign(key);
  }
  void put(const std::string& path, std::string_view text) {
    folder.write(path, std::string(text));
    add_file(manifest, path, text);
  }
  void sign(const age::SshPrivateKey& with, std::string_view name_space = kManifestNameSpace) const {
    const std::string text = print_manifest(manifest);
    folder.write(std::string(kManifestName), text);
    folder.write(std::string(kManifestSignatureName), *age::ssh_sign(with, name_space, bytes_of(text)));
  }
  [[nodiscard]] Result<Proven> prove(const LastManifest& last = {}, const std::string& machine = "web") const {
    return prove_project(folder.path(), machine, trusted, last, kNow);
  }
};

TEST(Manifest, HasOneFormAndIsReadBack) {
  Manifest manifest = {.machine = "web", .counter = 1764183264123, .key = "age1x"};
  add_file(manifest, "vars/shared/g/a b/secret", "x");
  EXPECT_EQ(*parse_manifest(print_manifest(manifest)), manifest);
  const std::string text = print_manifest(manifest);
  EXPECT_THAT(parse_manifest(text + text.substr(text.find("file "))), FailsWith(Errc::invalid_data, HasSubstr("form")));
  EXPECT_THAT(parse_manifest("vmcred manifest 2\n"), FailsWith(Errc::invalid_data, HasSubstr("begin")));
  EXPECT_THAT(parse_manifest("vmcred manifest 1\nmachine web\ncounter -1\n"),
              FailsWith(Errc::invalid_data, HasSubstr("counter")));
  EXPECT_THAT(parse_manifest("vmcred manifest 1\nmachine ../x\ncounter 1\n"),
              FailsWith(Errc::usage, HasSubstr("../x")));
}

TEST(Manifest, ProvesWhatWasSigned) {
  const Deployed deployed;
  const auto proven = deployed.prove();
  ASSERT_THAT(proven, Succeeds());
  EXPECT_EQ(proven->signer, "alice");
  EXPECT_EQ(proven->manifest, deployed.manifest);
  // The same one again is no older one.
  EXPECT_THAT(deployed.prove(proven->as_last), Succeeds());
}

TEST(Manifest, NoticesWhatWasChangedAddedOrTaken) {
  const Deployed swapped;
  swapped.folder.write("vars/shared/g/f/secret", "forged");
  EXPECT_THAT(swapped.prove(), FailsWith(Errc::mismatch, HasSubstr("'vars/shared/g/f/secret' is not what")));
  const Deployed added;
  added.folder.write("vmcred.toml", "x");
  EXPECT_THAT(added.prove(), FailsWith(Errc::mismatch, HasSubstr("does not name 'vmcred.toml'")));
  const Deployed taken;
  ASSERT_EQ(::unlink((taken.folder / "vmcred.json").c_str()), 0);
  EXPECT_THAT(taken.prove(), FailsWith(Errc::mismatch, HasSubstr("'vmcred.json', which the manifest names")));
  const Deployed linked;
  ASSERT_EQ(::unlink((linked.folder / "vmcred.json").c_str()), 0);
  ASSERT_EQ(::symlink("/etc/hostname", (linked.folder / "vmcred.json").c_str()), 0);
  EXPECT_THAT(linked.prove(), FailsWith(Errc::mismatch, HasSubstr("neither a file nor a folder")));
}

TEST(Manifest, NoticesAnOlderOneAndAnothersOne) {
  const Deployed deployed;
  EXPECT_THAT(deployed.prove({.counter = 8}), FailsWith(Errc::mismatch, HasSubstr("counter is 7, the last one was 8")));
  EXPECT_THAT(deployed.prove({.counter = 7, .digest = "another"}), FailsWith(Errc::mismatch, HasSubstr("older")));
  EXPECT_THAT(deployed.prove({}, "db"), FailsWith(Errc::mismatch, HasSubstr("for machine 'web'")));
}

TEST(Manifest, NeedsASignatureOfSomebodyTrustedForThisPurpose) {
  const Deployed deployed;
  deployed.sign(some_ssh_key());
  EXPECT_THAT(deployed.prove(), FailsWith(Errc::denied, HasSubstr("not trusted")));
  deployed.sign(deployed.key, "vmcred");
  EXPECT_THAT(deployed.prove(), FailsWith(Errc::mismatch, HasSubstr("purpose")));
  ASSERT_EQ(::unlink((deployed.folder / std::string(kManifestName)).c_str()), 0);
  EXPECT_THAT(deployed.prove(), FailsWith(Errc::mismatch, HasSubstr("no signed manifest")));
}

TEST(LastManifest, IsRememberedAndNoneIsTheFirst) {
  const TestFolder folder;
  EXPECT_EQ(read_last_manifest(folder / "last")->counter, 0U);
  ASSERT_THAT(write_last_manifest(folder / "last", {.counter = 9, .digest = "abc"}), Succeeds());
  EXPECT_EQ(read_last_manifest(folder / "last")->counter, 9U);
  EXPECT_EQ(read_last_manifest(folder / "last")->digest, "abc");
  folder.write("last", "{}");
  EXPECT_THAT(read_last_manifest(folder / "last"), FailsWith(Errc::invalid_data, HasSubstr("no counter")));
}

}  // namespace
}  // namespace vmcred::store
