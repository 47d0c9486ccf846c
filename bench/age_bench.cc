// sops binary files with one recipient, a thousand a round, beside two peers in the same run: one `age` process each,
// and a bare loop over libcrypto that does the same operations and nothing else (the limit). Median of interleaved
// rounds.

// links: vmcred_sops OpenSSL::Crypto

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "age/age.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "sops/sops.h"

namespace {

using namespace vmcred;  // NOLINT

constexpr std::size_t kCount = 1000;
constexpr std::size_t kRounds = 7;
constexpr std::size_t kProcesses = 100;  // of `age`, a round; scaled to kCount

[[noreturn]] void stop(const std::string& why) {
  fmt::print(stderr, "age_bench: {}\n", why);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe)
}
void must(bool ok) {
  if (!ok) stop("libcrypto failed");
}

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// The operations of one file on libcrypto alone, everything fetched and allocated before the clock starts.
class Bare {
 public:
  Bare() {
    std::array<std::uint8_t, 32> bytes = {};
    random_bytes(bytes);
    identity_ = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes.data(), bytes.size());
    std::size_t size = point_.size();
    must(EVP_PKEY_get_raw_public_key(identity_, point_.data(), &size) == 1);
  }
  void encrypt() {
    std::array<std::uint8_t, 32> ephemeral = {};
    std::array<std::uint8_t, 32> data_key = {};
    random_bytes(ephemeral);
    random_bytes(data_key);
    EVP_PKEY* const key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, ephemeral.data(), 32);  // base multiplication
    derive(key);
    EVP_PKEY_free(key);
    common(1);
  }
  void decrypt() {
    derive(identity_);
    common(0);
  }

 private:
  void derive(EVP_PKEY* key) {
    EVP_PKEY* const peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point_.data(), 32);
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(key, nullptr);
    std::array<std::uint8_t, 32> shared = {};
    std::size_t size = shared.size();
    must(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer_ex(context, peer, 0) == 1 &&
         EVP_PKEY_derive(context, shared.data(), &size) == 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
  }
  /// Three HKDFs (wrap, header, payload), one HMAC, two ChaCha20-Poly1305, two AES-256-GCM, one SHA-512.
  void common(int seal) {
    std::array<std::uint8_t, 128> in = {};
    std::array<std::uint8_t, 256> out = {};
    for (int i = 0; i < 3; ++i) hkdf(out);
    unsigned size = 0;
    must(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, in.data(), 32, in.data(), 100, out.data(), 32,
                   nullptr) != nullptr);
    aead(chacha_, 12, in.data(), 16, out.data(), seal);
    aead(chacha_, 12, in.data(), 32, out.data(), seal);
    aead(gcm_, 32, in.data(), 44, out.data(), seal);
    must(EVP_Digest(in.data(), 44, out.data(), &size, sha512_, nullptr) == 1);
    aead(gcm_, 32, in.data(), 128, out.data(), seal);
  }
  void hkdf(std::array<std::uint8_t, 256>& out) {
    EVP_KDF_CTX* const context = EVP_KDF_CTX_new(hkdf_);
    std::array<char, 7> digest = {"SHA256"};
    const std::array<OSSL_PARAM, 5> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, point_.data(), 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, point_.data(), 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, point_.data(), 8), OSSL_PARAM_construct_end()};
    must(EVP_KDF_derive(context, out.data(), 32, parameters.data()) == 1);
    EVP_KDF_CTX_free(context);
  }
  static void aead(EVP_CIPHER* cipher, std::size_t iv_size, const std::uint8_t* in, int in_size, std::uint8_t* out,
                   int seal) {
    static const std::array<std::uint8_t, 32> key = {};
    static const std::array<std::uint8_t, 32> iv = {};
    std::array<std::uint8_t, 16> tag = {};
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    const std::array<OSSL_PARAM, 2> parameters = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv_size),
                                                  OSSL_PARAM_construct_end()};
    int size = 0;
    must(EVP_CipherInit_ex2(context, cipher, nullptr, nullptr, seal, parameters.data()) == 1);
    must(EVP_CipherInit_ex2(context, nullptr, key.data(), iv.data(), seal, nullptr) == 1);
    must(EVP_CipherUpdate(context, out, &size, in, in_size) == 1);
    if (seal == 0) must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1);
    const int verified = EVP_CipherFinal_ex(context, out, &size);  // opening zeros fails here, after the same work
    if (seal == 1) must(verified == 1 && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1);
    EVP_CIPHER_CTX_free(context);
  }

  EVP_CIPHER* chacha_ = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  EVP_CIPHER* gcm_ = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  EVP_MD* sha512_ = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  EVP_KDF* hkdf_ = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_PKEY* identity_ = nullptr;
  std::array<std::uint8_t, 32> point_ = {};
};

struct Series {
  std::string name;
  std::function<void()> work;
  double scale = 1;
  std::vector<double> times = {};

  [[nodiscard]] double median() const {
    std::vector<double> sorted = times;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

void measure(std::vector<Series>& all) {
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (Series& one : all) one.times.push_back(milliseconds(one.work) * one.scale);
  }
}

void report(const std::string& what, const std::vector<Series>& all, double gate_age) {
  const double ours = all[0].median();
  for (const Series& one : all) {
    const auto [least, most] = std::ranges::minmax(one.times);
    fmt::print("{:8} {:34} {:9.1f} ms a thousand ({:.1f} … {:.1f})\n", what, one.name, one.median(), least, most);
  }
  fmt::print("{:8} against libcrypto {:.2f} times (gate: 2.00), against age processes 1/{:.0f} (gate: 1/{:.0f})\n",
             what, ours / all[1].median(), all.size() > 2 ? all[2].median() / ours : 0, gate_age);
}

}  // namespace

int main() {
  const age::KeyPair pair = age::generate_key_pair();
  const age::RecipientPtr to = *age::parse_recipient(pair.recipient);
  const age::IdentityPtr key = *age::parse_identity(pair.identity.text());
  const Secret value = random_secret(44);
  std::vector<std::string> files;
  for (std::size_t i = 0; i < kCount; ++i) files.push_back(sops::print(*sops::encrypt(value.bytes(), {&to, 1})));
  Bare bare;

  std::vector<Series> decrypt = {{"vmcred, parse and decrypt",
                                  [&] {
                                    for (const std::string& file : files) {
                                      const auto parsed = sops::parse(file);
                                      if (!parsed || !sops::decrypt(*parsed, {&key, 1})) stop("decrypt failed");
                                    }
                                  }},
                                 {"libcrypto, the same operations", [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) bare.decrypt();
                                  }}};
  std::vector<Series> encrypt = {{"vmcred, encrypt and print",
                                  [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) {
                                      const auto file = sops::encrypt(value.bytes(), {&to, 1});
                                      if (!file || sops::print(*file).empty()) stop("encrypt failed");
                                    }
                                  }},
                                 {"libcrypto, the same operations", [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) bare.encrypt();
                                  }}};

  const auto age_program = find_program("age", kSystemPath);
  auto folder = TemporaryFolder::make();
  if (age_program && folder) {
    const std::string key_file = join_path(folder->path(), "key");
    const std::string plain_file = join_path(folder->path(), "plain");
    const std::string age_file = join_path(folder->path(), "file.age");
    if (!write_file(key_file, pair.identity.text(), 0600) || !write_file(plain_file, value.text(), 0600) ||
        !write_file(age_file, *age::encrypt({&to, 1}, value.bytes()), 0600)) {
      stop("write the peer's files");
    }
    const auto processes = [age = *age_program](const std::vector<std::string>& arguments) {
      return [age, arguments] {
        Command command = {.argv = {age}};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        for (std::size_t i = 0; i < kProcesses; ++i) {
          const auto output = run(command);
          if (!output || !output->status.ok()) stop("age failed");
        }
      };
    };
    constexpr double kScale = static_cast<double>(kCount) / kProcesses;
    decrypt.push_back({"age -d, one process each", processes({"-d", "-i", key_file, age_file}), kScale});
    encrypt.push_back({"age -r, one process each", processes({"-r", pair.recipient, plain_file}), kScale});
  } else {
    fmt::print("'age' is not on this machine: without that peer\n");
  }
  measure(decrypt);
  measure(encrypt);
  report("decrypt", decrypt, 25);
  report("encrypt", encrypt, 15);
  return 0;
}
