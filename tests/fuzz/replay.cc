// Runs a fuzz target over its corpus, so that every find stays found without a fuzzer at hand.
// A corpus that is missing or empty is a failure: the test would show nothing.
#include <cstdint>
#include <cstdio>

#include "base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
  std::size_t ran = 0;
  for (int i = 1; i < count; ++i) {
    const std::string folder = arguments[i];
    const auto names = vmcred::list_folder(folder);
    if (!names) {
      std::fprintf(stderr, "%s\n", names.error().message.c_str());
      return 1;
    }
    for (const std::string& name : *names) {
      const auto bytes = vmcred::read_file(vmcred::join_path(folder, name), 64 * 1024 * 1024);
      if (!bytes) {
        std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
        return 1;
      }
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size());
      ++ran;
    }
  }
  std::printf("%zu inputs replayed\n", ran);
  return ran > 0 ? 0 : 1;
}
