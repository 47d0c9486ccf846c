#include "link/wire.h"

#include <string>
#include <vector>

#include "link/inbox.h"
#include "matchers.h"

namespace vmcred::link {
namespace {

using ::testing::_;
using testing::FailsWith;
using testing::Succeeds;

Bytes some_key() { return bytes_of("0123456789abcdef0123456789abcdef"); }

std::string sealed(Sealer& sealer, Type type, std::string_view payload) {
  std::string frame(Sealer::sealed_size(payload.size()), '\0');
  sealer.seal(type, bytes_of(payload), {reinterpret_cast<std::uint8_t*>(frame.data()), frame.size()});  // NOLINT
  return frame;
}

TEST(Frame, OpensInOrderAndOnlyOnce) {
  Sealer sealer(Secret::copy_of(some_key()));
  Opener opener(Secret::copy_of(some_key()));
  const std::string first = sealed(sealer, Type::open, "one");
  const std::string second = sealed(sealer, Type::report_end, "");
  EXPECT_THAT(opener.open(bytes_of(second)), FailsWith(Errc::mismatch, "a frame out of order"));
  const auto opened = opener.open(bytes_of(first));
  ASSERT_THAT(opened, Succeeds());
  EXPECT_EQ(opened->first, Type::open);
  EXPECT_EQ(text_of(opened->second), "one");
  EXPECT_THAT(opener.open(bytes_of(first)), FailsWith(Errc::mismatch, "a frame out of order"));
  EXPECT_THAT(opener.open(bytes_of(second)), Succeeds());
}

TEST(Frame, EveryBitCounts) {
  Sealer sealer(Secret::copy_of(some_key()));
  const std::string frame = sealed(sealer, Type::open, "payload");
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    std::string changed = frame;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    Opener opener(Secret::copy_of(some_key()));
    EXPECT_THAT(opener.open(bytes_of(changed)), FailsWith(Errc::mismatch, "a frame with a wrong tag")) << bit;
  }
}

TEST(Frame, IsRefusedAboveTheLimitBeforeItIsRead) {
  EXPECT_THAT(frame_size(bytes_of(std::string_view("\x01\0\x01\x10\0\0\0\0", 8))), FailsWith(Errc::invalid_data, _));
  EXPECT_EQ(frame_size(bytes_of(std::string_view("\x01\0\0\x10\0\0\0\0", 8))).value(), kMaxFrame);
  EXPECT_THAT(frame_size(bytes_of(std::string_view("\0\0\0\0\0\0\0\0", 8))), FailsWith(Errc::invalid_data, _));
}

TEST(Handshake, HelloAndWelcomeComeBackAsTheyWere) {
  Hello hello = {.lowest = 1, .highest = 3, .agent = true};
  hello.boot_id.fill(7);
  hello.nonce.fill(8);
  hello.key.fill(9);
  const std::string bytes = encode_hello(hello);
  const auto decoded = decode_hello(bytes_of(bytes));
  ASSERT_THAT(decoded, Succeeds());
  EXPECT_EQ(encode_hello(*decoded), bytes);
  const std::string welcome = encode_welcome({.guest_nonce = hello.nonce, .version = 1}, bytes, some_key());
  EXPECT_TRUE(welcome_is_proven(bytes_of(welcome), bytes, some_key()));
  EXPECT_FALSE(welcome_is_proven(bytes_of(welcome), bytes, bytes_of("another key")));
  EXPECT_EQ(decode_welcome(bytes_of(welcome))->guest_nonce, hello.nonce);
}

TEST(Keys, DifferByPurposeAndSecret) {
  const Keys keys = derive_keys(some_key());
  EXPECT_NE(keys.auth.text(), keys.receipt.text());
  EXPECT_NE(keys.id, derive_keys(bytes_of("another")).id);
}

TEST(Inbox, FindsAHelloAfterAnything) {
  const std::string hello = encode_hello({});
  for (const auto& before :
       std::vector<std::string>{std::string(), std::string(5000, '\0'), std::string(kHelloMagic.substr(0, 9)),
                                std::string("\x89\x89\x89"), std::string(kWelcomeMagic)}) {
    Inbox inbox;
    inbox.seek(std::string(kHelloMagic), Hello::kSize);
    const std::string input = before + hello;
    Bytes bytes = bytes_of(input);
    const auto message = inbox.next(bytes);
    ASSERT_THAT(message, Succeeds());
    ASSERT_TRUE(*message);
    EXPECT_EQ(text_of(**message), hello);
  }
}

TEST(FieldReader, StaysEmptyAfterTheEnd) {
  FieldReader in(
      bytes_of("\x05"
               "abc"));
  EXPECT_EQ(in.text(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.integer(8), 0u);
  EXPECT_FALSE(in.done());
}

TEST(Names, ArePrintableAsciiOfAtMost255Characters) {
  EXPECT_TRUE(is_name(" ~"));
  EXPECT_TRUE(is_name(std::string(255, 'x')));
  for (const std::string& bad :
       {std::string(), std::string(256, 'x'), std::string("a\x7f"), std::string("a\x1f"), std::string("\xc3\xa4")})
    EXPECT_FALSE(is_name(bad)) << bad;
}

}  // namespace
}  // namespace vmcred::link
