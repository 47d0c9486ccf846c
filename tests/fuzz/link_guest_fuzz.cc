// A host says anything to the guest's half, before and after it proved itself; and any line is the link's or refused.
// links: vmcred_link
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "link/address.h"
#include "link/guest.h"
#include "link/wire.h"

namespace {

using namespace vmcred;
using namespace vmcred::link;

class Same : public Randomness {
 public:
  void fill(WritableBytes out) override { std::ranges::fill(out, 0x5a); }
};

constexpr std::string_view kToken = "0123456789abcdef0123456789abcdef";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto address = parse_link_line({data, size});
  if (address) {
    const auto again = parse_link_line(link_line(*address).bytes());
    if (!again || !equal_in_constant_time(again->token.bytes(), address->token.bytes())) std::abort();
  }
  Same randomness;
  GuestSession guest({.key = Secret::copy_of(kToken), .agent = true, .randomness = &randomness});
  const Secret said = guest.take_output();
  const std::string hello(said.text().substr(said.size() - Hello::kSize));
  Bytes rest(data, size);
  if (rest.empty() || rest.front() % 2 == 0) {
    (void)guest.receive(rest);
    return 0;
  }
  const Keys keys = derive_keys(bytes_of(kToken));
  Welcome answer = {.version = 1};
  answer.guest_nonce = decode_hello(bytes_of(hello))->nonce;
  const std::string welcome = encode_welcome(answer, hello, keys.auth.bytes());
  if (!guest.receive(bytes_of(welcome))) std::abort();
  Sealer sealer(derive_stream_keys(keys.auth.bytes(), hello, welcome).from_host);
  const auto take = [&](std::size_t count) {
    const Bytes bytes = rest.first(std::min(count, rest.size()));
    rest = rest.subspan(bytes.size());
    return bytes;
  };
  take(1);
  while (!rest.empty()) {
    const auto type = static_cast<Type>(take(1).front());
    const Bytes length = take(1);
    const Bytes payload = take(length.empty() ? 0 : length.front());
    Secret frame(Sealer::sealed_size(payload.size()));
    sealer.seal(type, payload, frame.writable());
    if (!guest.receive(frame.bytes())) break;
    while (auto event = guest.take_event()) {
      if (const auto* received = std::get_if<Received>(&*event)) {
        if (received->set.values.size() > kMaxSetCount) std::abort();
      }
    }
    (void)guest.take_output();
  }
  return 0;
}
