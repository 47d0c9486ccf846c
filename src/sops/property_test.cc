// Round trips over arbitrary values: what is written is read back, and no changed byte passes.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "age/age.h"
#include "age/armor.h"
#include "age/bech32.h"
#include "age/test_support.h"
#include "matchers.h"
#include "sops/sops.h"

namespace vmcred::sops {
namespace {

using namespace vmcred::testing;  // NOLINT

age::Recipients some_recipients() {
  age::Recipients to = {recipient()};
  for (int more = *rc::gen::inRange(0, 4); more > 0; --more) {
    to.push_back(*age::parse_recipient(age::generate_key_pair().recipient));
  }
  return to;
}

RC_GTEST_PROP(SopsProperty, WhatIsWrittenIsReadBack, (const std::string& value)) {
  const age::IdentityPtr key = identity();
  const auto file = encrypt(bytes_of(value), some_recipients());
  RC_ASSERT(file.has_value());
  const auto parsed = parse(print(*file));
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == *file);
  const auto back = decrypt(*parsed, {&key, 1});
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->text() == value);
}

RC_GTEST_PROP(SopsProperty, NoChangedByteOfValueOrMacPasses, (const std::string& value, bool in_mac)) {
  const age::IdentityPtr key = identity();
  File file = *encrypt(bytes_of(value), age::Recipients{recipient()});
  std::string& text = in_mac || file.data.empty() ? file.mac : file.data;
  const std::size_t at = *rc::gen::inRange<std::size_t>(0, text.size());
  text[at] = static_cast<char>(text[at] ^ *rc::gen::inRange(1, 256));
  RC_ASSERT(!decrypt(file, {&key, 1}).has_value());
}

RC_GTEST_PROP(AgeProperty, WhatIsWrittenIsReadBack, (const std::string& value, bool armored)) {
  const age::IdentityPtr key = identity();
  const age::Recipients to = some_recipients();
  const auto file = armored ? age::encrypt_armored(to, bytes_of(value)) : age::encrypt(to, bytes_of(value));
  RC_ASSERT(file.has_value());
  const auto back = age::decrypt({&key, 1}, *file);
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->text() == value);
}

RC_GTEST_PROP(AgeProperty, Bech32IsReadBack, (const std::string& data)) {
  const auto back = age::bech32_decode(age::bech32_encode("age1test", bytes_of(data)));
  RC_ASSERT(back.has_value());
  RC_ASSERT(back->prefix == "age1test");
  RC_ASSERT(back->data.text() == data);
}

}  // namespace
}  // namespace vmcred::sops
