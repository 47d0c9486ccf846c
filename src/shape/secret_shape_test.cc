#include "shape/secret_shape.h"

#include <string>

#include "base/base64.h"
#include "matchers.h"

namespace vmcred::shape {
namespace {

// Test values are put together here, so that no file of the project holds the shape of a real key.
std::string joined(std::string_view a, std::string_view b) { return std::string(a).append(b); }

TEST(SecretShape, KnowsTheKeysOfOthers) {
  EXPECT_EQ(looks_like_secret(joined("AGE-SECRET-", "KEY-1QQQQQQQQQQQQQQQQQQQQ")), "an age secret key");
  EXPECT_EQ(looks_like_secret(joined("AKI", "AIOSFODNN7EXAMPLE")), "an AWS access key");
  EXPECT_EQ(looks_like_secret(joined("gh", "p_abcdefghijklmnopqrst")), "a GitHub token");
  EXPECT_EQ(looks_like_secret(joined("token=gl", "pat-aaaaaaaaaaaaaaaaaaaa")), "a GitLab token");
  EXPECT_EQ(looks_like_secret(joined("-----BEGIN OPENSSH PRIV", "ATE KEY-----\nb3Bl")), "a private key");
  EXPECT_EQ(looks_like_secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x"), "a JSON web token");
  EXPECT_EQ(looks_like_secret("postgres://app:hunter2@db.internal/app"), "a URL with a password");
  EXPECT_EQ(looks_like_secret("$6$saltsalt$0123456789abcdef"), "a password hash");
}

TEST(SecretShape, SeesRandomness) {
  EXPECT_EQ(looks_like_secret("q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e"), "a long random text");
  EXPECT_EQ(looks_like_secret("PASSWORD=q7Jx0ZkT3mW9vB2nLr8YpD5sHc1GfA6e"), "a long random text");
  EXPECT_EQ(looks_like_secret("9f86d081884c7d659a2feaa0c55ad015"), "a long random text");
}

TEST(SecretShape, SeesNearlyAllRandomKeysOf32Bytes) {
  std::uint64_t state = 1;
  int missed = 0;
  for (int round = 0; round < 1000; ++round) {
    std::string bytes;
    for (int i = 0; i < 32; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;  // Knuth's MMIX generator
      bytes += static_cast<char>(state >> 56);
    }
    if (!looks_like_secret(base64_encode(bytes_of(bytes)))) ++missed;
    EXPECT_TRUE(looks_like_secret(hex_encode(bytes_of(bytes))));
  }
  EXPECT_LE(missed, 10);
}

TEST(SecretShape, SeesPasswordsInDisguise) {
  for (const std::string& text :
       {joined("P@ss", "w0rd"), joined("p4ss", "w0rd!"), joined("iscsi://user%hun", "ter2@host/iqn.2001-04.org:x/0"),
        joined("DB_DSN=user:hun", "ter2@tcp(127.0.0.1:3306)/db"), joined("web-q7jx0zkt3mw9", "vb2nlr8yp5")})
    EXPECT_TRUE(looks_like_secret(text)) << text;
  for (const char* text :
       {"root@host1", "s3cret@example.com", "alice@h0st.example.com", "iscsi://user@host/iqn.2001-04.org:x/0"})
    EXPECT_FALSE(looks_like_secret(text)) << text;
}

TEST(SecretShape, LetsConfigurationPass) {
  for (const char* text :
       {"test",
        "britton-desktop",
        "https://api.example.com/v1/things?limit=20",
        "-plugin-opt=-pass-through=-lgcc",
        "10.0.0.1,10.0.0.2",
        "true",
        "",
        "550e8400-e29b-41d4-a716-446655440000",
        "MyVeryLongServiceNameForProductionEnvironment2",
        "Foo-Bar-Baz-Qux-Web-App-One-2",
        "/Users/John/Documents/Project1/File2",
        "/nix/store/0c1mvslmh2sz6d1zz9kpx1mblsjwhjyp-hello-2.12",
        "eu-central-1.compute.internal",
        "00000000000000000000000000000000",
        "LANG=en_US.UTF-8 TZ=Europe/Berlin",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx0ZkT3mW9vB2nLr8YpD5sHc1GfA6eq7Jx0ZkT3mW9 me@host",
        "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ7Jx0ZkT3mW9vB2nLr8YpD5sHc0wCgYIKoZIzj0E\n-----END "
        "CERTIFICATE-----",
        "web-7d9f8c6b5d-x2x9z",
        "pod/web-7d9f8c6b5d-x2x9z",
        "gke-prod-default-pool-1a2b3c4d-xyz9",
        "1f3870be274f6c49b3e31a0c6728957f.png",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "root@tcp(127.0.0.1:3306)/db",
        "GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568",
        "passwdValidTo=2025-01-01T00:00:00",
        "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
        "the quick brown fox jumps over the lazy dog"})
    EXPECT_FALSE(looks_like_secret(text)) << text;
}

}  // namespace
}  // namespace vmcred::shape
