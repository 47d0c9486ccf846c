#include "credential/encode.h"

#include <algorithm>
#include <vector>

#include "base/base64.h"
#include "credential/cpio.h"
#include "credential/limits.h"
#include "credential/oem_string.h"

namespace vmcred::credential {
namespace {

constexpr std::uint8_t kOemStrings = 11;  // SMBIOS 3.6 §7.12

/// Fills a Secret from its begin; the caller has counted the bytes.
class Writer {
 public:
  explicit Writer(std::size_t size) : out_(size) {}
  void put(std::uint8_t byte) { out_.writable()[used_++] = byte; }
  void put(Bytes bytes) { std::ranges::copy(bytes, room(bytes.size()).begin()); }
  void put(std::string_view text) { put(bytes_of(text)); }
  WritableBytes room(std::size_t size) {
    used_ += size;
    return out_.writable().subspan(used_ - size, size);
  }
  [[nodiscard]] bool full() const { return used_ == out_.size(); }
  Secret take() { return std::move(out_); }

 private:
  Secret out_;
  std::size_t used_ = 0;
};

/// The value in place: no copy is made. Checks what value_of() promises.
Result<Bytes> borrow(const OemEntry& entry, const Values& values) {
  Bytes bytes;
  if (entry.text) {
    bytes = bytes_of(*entry.text);
  } else {
    const auto found = values.find(entry.host);
    if (found == values.end()) return fail(Errc::not_found, "no value for the credential '{}'", entry.host);
    bytes = found->second.bytes();
  }
  if (bytes.size() != entry.size) {
    return fail(Errc::mismatch, "the credential '{}' was planned with another size", entry.guest);
  }
  return bytes;
}

std::size_t cost_of(const OemEntry& entry) {
  if (entry.guest.empty()) return entry.size + 1;
  return oem_string_cost(entry.text ? Form::text : Form::binary, entry.guest, entry.size);
}

/// Writes the string without its NUL.
Result<> put_string(Writer& out, const OemEntry& entry, const Values& values) {
  TRY_LET(const Bytes value, borrow(entry, values));
  if (entry.guest.empty()) {
    out.put(value);
    return {};
  }
  out.put(entry.text ? kTextPrefix : kBinaryPrefix);
  out.put(entry.guest);
  out.put("=");
  if (entry.text) {
    out.put(value);
  } else {
    base64_encode_into(value, out.room(base64_size(value.size())));
  }
  return {};
}

}  // namespace

Result<Secret> value_of(const OemEntry& entry, const Values& values) {
  TRY_LET(const Bytes value, borrow(entry, values));
  return Secret::copy_of(value);
}

Result<Secret> encode_oem_string(const OemEntry& entry, const Values& values) {
  Writer out(cost_of(entry) - 1);
  TRY(put_string(out, entry, values));
  return out.take();
}

Result<Secret> encode_kernel_word(const OemEntry& entry, const Values& values) {
  TRY_LET(const Bytes value, borrow(entry, values));
  if (!fits_kernel_line(text_of(value))) {
    return fail(Errc::invalid_data, "the credential '{}' cannot stand on a kernel line", entry.guest);
  }
  Writer out(kernel_word_cost(entry.guest, value.size()) - 1);
  out.put("\"");
  out.put(kKernelPrefix);
  out.put(entry.guest);
  out.put(":");
  out.put(value);
  out.put("\"");
  return out.take();
}

Result<Secret> encode_structure(const Structure& structure, const Values& values) {
  std::size_t size = kStructureOverhead;
  for (const OemEntry& entry : structure.entries) size += cost_of(entry);
  if (size != structure.raw_size || structure.entries.empty() || structure.entries.size() > kMaxStrings) {
    return fail(Errc::mismatch, "a type 11 structure of {} strings and {} bytes does not match its plan ({} bytes)",
                structure.entries.size(), size, structure.raw_size);
  }
  Writer out(size);
  out.put(kOemStrings);
  out.put(static_cast<std::uint8_t>(kStructureHeader));
  out.put(static_cast<std::uint8_t>(structure.handle & 0xff));
  out.put(static_cast<std::uint8_t>(structure.handle >> 8));
  out.put(static_cast<std::uint8_t>(structure.entries.size()));
  for (const OemEntry& entry : structure.entries) {
    TRY(put_string(out, entry, values));
    out.put(std::uint8_t{0});
  }
  out.put(std::uint8_t{0});
  return out.take();
}

Result<Secret> encode_item(const FwCfgItem& item, const Values& values) {
  return value_of({.guest = item.guest, .host = item.host, .text = item.text, .size = item.size}, values);
}

Result<Secret> encode_initrd(std::span<const OemEntry> entries, const Values& values, std::size_t base_size) {
  std::vector<CpioEntry> files;
  // The folders as systemd's own tools make them; they may stand in the base already, the kernel takes that.
  files.push_back({.path = ".extra", .mode = kFolder | 0555, .content = {}});
  files.push_back({.path = ".extra/system_credentials", .mode = kFolder | 0500, .content = {}});
  for (const OemEntry& entry : entries) {
    TRY_LET(const Bytes value, borrow(entry, values));
    files.push_back(
        {.path = ".extra/system_credentials/" + entry.guest + ".cred", .mode = kRegularFile | 0400, .content = value});
  }
  return write_cpio(files, base_size);
}

}  // namespace vmcred::credential
