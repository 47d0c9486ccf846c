#include "vmm/blob.h"

#include <algorithm>
#include <vector>

#include "declare/words.h"

namespace vmcred::vmm {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

constexpr std::string_view kHex = "0123456789abcdef";

/// Bytes that one byte takes in a JSON string (RFC 8259 §7).
std::size_t escaped_size(std::uint8_t byte) {
  if (byte == '"' || byte == '\\') return 2;
  return byte < 0x20 ? 6 : 1;
}

std::size_t escaped_size(Bytes bytes) {
  std::size_t size = 0;
  for (const std::uint8_t byte : bytes) size += escaped_size(byte);
  return size;
}

/// Writes into `out` at `at`, which it moves on.
void escape_into(Bytes bytes, WritableBytes out, std::size_t& at) {
  for (const std::uint8_t byte : bytes) {
    if (byte < 0x20) {
      for (const char c : std::string_view("\\u00")) out[at++] = static_cast<std::uint8_t>(c);
      out[at++] = static_cast<std::uint8_t>(kHex[byte >> 4]);
      out[at++] = static_cast<std::uint8_t>(kHex[byte & 0xf]);
      continue;
    }
    if (byte == '"' || byte == '\\') out[at++] = '\\';
    out[at++] = byte;
  }
}

}  // namespace

Result<Secret> encode_blob(const Blob& blob, const credential::Values& values, std::size_t base_size) {
  return std::visit(
      Overloaded{
          [&](const StructureBlob& structure) { return credential::encode_structure(structure.structure, values); },
          [&](const ValueBlob& value) { return credential::encode_item(value.item, values); },
          [&](const InitrdBlob& initrd) { return credential::encode_initrd(initrd.entries, values, base_size); },
          [&](const TextBlob& text) { return Result<Secret>(Secret::copy_of(text.text)); },
      },
      blob);
}

Result<Secret> encode_body(std::span<const BodyPiece> pieces, const credential::Values& values) {
  std::vector<Secret> strings;
  std::size_t size = 0;
  for (const BodyPiece& piece : pieces) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      size += text->size();
      continue;
    }
    const auto* word = std::get_if<KernelWord>(&piece);
    TRY_LET(Secret string, word != nullptr
                               ? credential::encode_kernel_word(word->entry, values)
                               : credential::encode_oem_string(std::get<credential::OemEntry>(piece), values));
    size += escaped_size(string.bytes());
    strings.push_back(std::move(string));
  }
  Secret body(size);
  std::size_t at = 0;
  auto next = strings.begin();
  for (const BodyPiece& piece : pieces) {
    if (const auto* text = std::get_if<std::string>(&piece)) {
      std::ranges::copy(bytes_of(*text), body.writable().subspan(at).begin());
      at += text->size();
    } else {
      escape_into((next++)->bytes(), body.writable(), at);
    }
  }
  return body;
}

std::string program_of(const declare::Vm& vm) {
  if (!vm.binary.empty()) return vm.binary;
  switch (vm.hypervisor) {
    case declare::Hypervisor::qemu:
      return "qemu-system-" + vm.architecture;
    case declare::Hypervisor::kvmtool:
      return "lkvm";
    default:
      return std::string(declare::word(vm.hypervisor));
  }
}

}  // namespace vmcred::vmm
