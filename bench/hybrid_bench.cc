// Post-quantum age files of 44 bytes, a thousand a round, beside the bare operations in the same run: the same KEM,
// X25519, HPKE's hashes and AEAD, with the file's own HKDFs, HMAC and payload. Gate: at most 1.3 times.
// links: vmcred_age

#include "age/age.h"
#include "age/hybrid.h"
#include "base/crypto.h"
#include "base/keccak.h"
#include "base/ml_kem.h"
#include "base/sha256.h"
#include "timing.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::must;
using bench::Series;

constexpr std::size_t kCount = 1000;
constexpr std::size_t kRounds = 7;

/// What both ways have in common once there is a shared secret: SHA3, eleven HMACs of HPKE and of the file, two AEADs.
void common(bool seal) {
  std::array<std::uint8_t, 256> in = {};
  std::array<std::uint8_t, 256> out = {};
  sha3_256({Bytes(in).first(134)}, WritableBytes(out).first(32));
  for (int i = 0; i < 5; ++i) (void)hmac_sha256(Bytes(in).first(32), {Bytes(in).first(90)});
  for (int i = 0; i < 2; ++i) (void)hkdf_sha256(Bytes(in).first(16), Bytes(in).first(16), Bytes(in).first(8));
  (void)hmac_sha256(Bytes(in).first(32), {Bytes(in).first(200)});
  const Nonce12 nonce = {};
  for (const std::size_t size : {std::size_t{16}, std::size_t{44}}) {
    if (seal)
      chacha_seal(Bytes(in).first(32), nonce, Bytes(in).first(size), out);
    else
      (void)chacha_open(Bytes(in).first(32), nonce, Bytes(in).first(size + 16), out);
  }
}

void report(const char* what, const std::vector<Series>& all) {
  for (const Series& one : all) fmt::print("{:8} {:34} {} a thousand\n", what, one.name, one.text());
  fmt::print("{:8} against the bare operations {:.2f} times (gate: 1.30)\n", what, all[0].median() / all[1].median());
}

}  // namespace

int main() {
  const age::KeyPair pair = age::generate_hybrid_key_pair();
  const age::RecipientPtr to = must(age::parse_recipient(pair.recipient));
  const age::IdentityPtr key = must(age::parse_identity(pair.identity.text()));
  const Secret value = random_secret(44);
  const std::string file = must(age::encrypt({&to, 1}, value.bytes()));
  const ml_kem::DecapsulationKey lattice(random_secret(ml_kem::kSeed).bytes());
  const X25519Key curve = X25519Key::generate();
  const X25519Point point = X25519Key::generate().point();
  const Secret message = random_secret(32);
  const ml_kem::Encapsulated sent = ml_kem::encapsulate(lattice.encapsulation_key(), message.bytes());
  std::vector<Series> encrypt = {{"vmcred",
                                  [&] {
                                    for (std::size_t i = 0; i < kCount; ++i)
                                      if (must(age::encrypt({&to, 1}, value.bytes())).empty())
                                        bench::stop("encrypt failed");
                                  }},
                                 {"bare operations", [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) {
                                      const Secret dice = random_secret(64);
                                      (void)must(must(X25519Key::from(dice.bytes().subspan(32))).agree(point));
                                      (void)ml_kem::encapsulate(lattice.encapsulation_key(), dice.bytes().first(32));
                                      common(true);
                                    }
                                  }}};
  std::vector<Series> decrypt = {{"vmcred",
                                  [&] {
                                    for (std::size_t i = 0; i < kCount; ++i)
                                      if (must(age::decrypt({&key, 1}, file)).size() != 44)
                                        bench::stop("decrypt failed");
                                  }},
                                 {"bare operations", [&] {
                                    for (std::size_t i = 0; i < kCount; ++i) {
                                      (void)must(curve.agree(point));
                                      (void)lattice.decapsulate(sent.ciphertext);
                                      common(false);
                                    }
                                  }}};
  measure(encrypt, kRounds);
  measure(decrypt, kRounds);
  report("encrypt", encrypt);
  report("decrypt", decrypt);
  return 0;
}
