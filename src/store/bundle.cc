#include "store/bundle.h"

#include <array>
#include <cstring>

namespace vmcred::store {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::size_t kNameSize = 100;

/// POSIX.1-2017, pax, "ustar Interchange Format".
Result<> write_header(const Fd& out, const std::string& name, std::size_t size, unsigned mode, char type) {
  std::array<char, kBlock> block = {};
  const auto put = [&](std::size_t offset, const std::string& text) {
    std::memcpy(block.data() + offset, text.data(), text.size());
  };
  put(0, name.substr(0, kNameSize));
  put(100, fmt::format("{:07o}", mode));
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, "00000000000");
  put(148, "        ");
  block[156] = type;
  put(257, std::string("ustar\0"
                       "00",
                       8));
  put(265, "root");
  put(297, "root");
  unsigned sum = 0;
  for (const char byte : block) sum += static_cast<unsigned char>(byte);
  put(148, fmt::format("{:06o}", sum) + '\0');
  return write_all(out, {block.data(), block.size()});
}

Result<> write_body(const Fd& out, std::string_view bytes) {
  static constexpr std::array<char, kBlock> kZeros = {};
  TRY(write_all(out, bytes));
  return write_all(out, {kZeros.data(), (kBlock - bytes.size() % kBlock) % kBlock});
}

}  // namespace

Result<> write_bundle(const Fd& out, const std::vector<BundleFile>& files) {
  for (const BundleFile& file : files) {
    if (file.path.size() > kNameSize) {
      const std::string name = file.path + '\0';
      TRY(write_header(out, "././@LongLink", name.size(), 0644, 'L'));
      TRY(write_body(out, name));
    }
    TRY(write_header(out, file.path, file.bytes.size(), file.mode, '0'));
    TRY(write_body(out, text_of(file.bytes)));
  }
  static constexpr std::array<char, 2 * kBlock> kEnd = {};
  return write_all(out, {kEnd.data(), kEnd.size()});
}

}  // namespace vmcred::store
