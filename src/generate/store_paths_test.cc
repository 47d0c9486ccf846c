#include "generate/store_paths.h"

#include "matchers.h"

namespace vmcred::generate {
namespace {

TEST(StorePaths, LoseHashVersionAndOutput) {
  EXPECT_EQ(without_versions("/nix/store/0123456789abcdfghijklmnpqrsvwxyz-openssl-3.0.14-bin/bin/openssl rand"),
            "/nix/store/openssl/bin/openssl rand");
  EXPECT_EQ(without_versions("a /nix/store/0123456789abcdfghijklmnpqrsvwxyz-age-plugin-tpm-1.0\n"
                             "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-jq"),
            "a /nix/store/age-plugin-tpm\n/nix/store/jq");
}

TEST(StorePaths, OfTwoVersionsAreEqualAndOfTwoPackagesAreNot) {
  const std::string old_one = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-openssl-3.0.13";
  const std::string new_one = "/nix/store/zyxwvsrqpnmlkjihgfdcba9876543210-openssl-3.2.1";
  EXPECT_EQ(without_versions(old_one), without_versions(new_one));
  EXPECT_NE(without_versions(old_one), without_versions("/nix/store/0123456789abcdfghijklmnpqrsvwxyz-libressl-3.0.13"));
}

TEST(StorePaths, OtherTextStaysAsItIs) {
  for (const char* text : {"", "openssl", "/opt/tool-1.2/bin", "/nix/store/", "/nix/store/short-name-1",
                           "/nix/store/0123456789abcdefghijklmnopqrstuv-not-a-hash-1"})
    EXPECT_EQ(without_versions(text), text);
}

}  // namespace
}  // namespace vmcred::generate
