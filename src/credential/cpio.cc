#include "credential/cpio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace vmcred::credential {
namespace {

constexpr std::size_t kHeader = 110;
constexpr std::size_t kAlign = 4;
constexpr std::string_view kTrailer = "TRAILER!!!";

std::size_t aligned(std::size_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

std::size_t size_in_archive(const CpioEntry& entry) {
  return aligned(kHeader + entry.path.size() + 1) + aligned(entry.content.size());
}

std::string header(const CpioEntry& entry, std::uint32_t inode) {
  const std::uint32_t links = (entry.mode & kFolder) != 0 && (entry.mode & kRegularFile) == 0 ? 2 : 1;
  //        magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  return fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}", inode,
                     entry.mode, 0, 0, links, 0, entry.content.size(), 0, 0, 0, 0, entry.path.size() + 1, 0);
}

}  // namespace

Secret write_cpio(std::span<const CpioEntry> entries, std::size_t base_size) {
  const CpioEntry trailer = {.path = std::string(kTrailer), .mode = 0, .content = {}};
  const std::size_t begin = aligned(base_size) - base_size;
  std::size_t size = begin + size_in_archive(trailer);
  for (const CpioEntry& entry : entries) size += size_in_archive(entry);

  Secret archive(size);  // zeros: all padding is there already
  std::size_t at = begin;
  std::uint32_t inode = 0x7663'0000;  // far from those of a base, which are counted up from small numbers
  const auto put = [&](const CpioEntry& entry, std::uint32_t number) {
    const WritableBytes out = archive.writable();
    const std::string head = header(entry, number);
    assert(head.size() == kHeader);
    std::ranges::copy(bytes_of(head), out.subspan(at).begin());
    std::ranges::copy(bytes_of(entry.path), out.subspan(at + kHeader).begin());
    at += aligned(kHeader + entry.path.size() + 1);
    std::ranges::copy(entry.content, out.subspan(at).begin());
    at += aligned(entry.content.size());
  };
  for (const CpioEntry& entry : entries) put(entry, inode++);
  put(trailer, 0);
  assert(at == size);
  return archive;
}

}  // namespace vmcred::credential
