// A hostile guest that holds the token says anything: the host's half neither crashes nor grows without bound, and
// takes only reports it asked for. The input is a list of actions, so that the fuzzer gets past the tags.
// links: vmcred_link
#include <algorithm>
#include <cstdlib>
#include <optional>

#include "link/host.h"
#include "link/wire.h"

namespace {

using namespace vmcred;
using namespace vmcred::link;

class Same : public Randomness {
 public:
  void fill(WritableBytes out) override { std::ranges::fill(out, 0x5a); }
};

constexpr std::string_view kToken = "0123456789abcdef0123456789abcdef";

/// Says hello properly and gives what seals frames from then on.
std::optional<Sealer> handshake(HostSession& host, bool agent) {
  const Keys keys = derive_keys(bytes_of(kToken));
  const std::string hello = encode_hello({.agent = agent, .key = keys.id});
  host.receive(bytes_of(hello));
  const Secret answer = host.take_output();
  if (answer.size() != Welcome::kSize || !welcome_is_proven(answer.bytes(), hello, keys.auth.bytes()))
    return std::nullopt;
  return Sealer(derive_stream_keys(keys.auth.bytes(), hello, answer.text()).from_guest);
}

void say(HostSession& host, Sealer& sealer, Type type, Bytes payload) {
  Secret frame(Sealer::sealed_size(payload.size()));
  sealer.seal(type, payload, frame.writable());
  host.receive(frame.bytes());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Same randomness;
  Set expected;
  expected.values.emplace("API_KEY", Secret::copy_of("hunter2"));
  HostSession host({.vm = "vm",
                    .token = Secret::copy_of(kToken),
                    .expected = std::move(expected),
                    .by_reference = size % 2 == 0,
                    .randomness = &randomness});
  std::optional<Sealer> sealer;
  Bytes rest(data, size);
  const auto take = [&](std::size_t count) {
    const Bytes bytes = rest.first(std::min(count, rest.size()));
    rest = rest.subspan(bytes.size());
    return bytes;
  };
  while (!rest.empty()) {
    const std::uint8_t action = take(1).front();
    switch (action % 8) {
      case 0:
        sealer = handshake(host, (action & 8U) != 0);
        if (sealer) say(host, *sealer, Type::open, bytes_of(std::string_view("\0\0\0\0\0\0\0\0", 8)));
        break;
      case 1: {
        const Bytes bytes = take(action);
        host.receive(bytes);
        break;
      }
      case 2:
        host.begin_stream();
        break;
      case 3:
        if (host.take_output().size() > 32 * 1024) std::abort();
        break;
      case 4: {
        Set set = {.generation = action};
        set.values.emplace("API_KEY", Secret::copy_of("hunter3"));
        (void)host.refresh(std::move(set));
        break;
      }
      default: {
        if (!sealer) sealer = handshake(host, true);
        const Bytes type = take(1);
        const Bytes length = take(1);
        if (sealer && !length.empty()) say(host, *sealer, static_cast<Type>(type.front()), take(length.front()));
      }
    }
    std::size_t events = 0;
    while (host.take_event()) ++events;
    if (events > 300) std::abort();
  }
  return 0;
}
