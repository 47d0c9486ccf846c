// Every limit between a value and the guest's @system, by where it comes from.
#pragma once

#include <cstddef>

namespace vmcred::credential {

/// systemd: CREDENTIAL_SIZE_MAX, and CREDENTIALS_TOTAL_SIZE_MAX over all trusted sources together.
inline constexpr std::size_t kMaxCredential = 1024 * 1024;
inline constexpr std::size_t kMaxCredentials = 1024 * 1024;
/// systemd refuses to start a service with more than this, names included.
inline constexpr std::size_t kMaxService = 1024 * 1024;
/// systemd >= 254 on kernels >= 6.3 keeps @system on a tmpfs of 1 MiB: one page for each file that is not empty.
inline constexpr std::size_t kMaxPages = 256;
inline constexpr std::size_t kPage = 4096;
inline constexpr int kFirstWithPages = 254;

/// systemd 252 to 256 reads one page of a type-11 structure and drops the rest without a word.
inline constexpr std::size_t kPageStructure = 4096;
inline constexpr int kFirstWithWholeStructures = 257;
/// SMBIOS 3.6 §6.1: the count of strings is one byte.
inline constexpr std::size_t kMaxStrings = 255;
/// Header of a type-11 structure, and the NUL that ends its string set.
inline constexpr std::size_t kStructureHeader = 5;
inline constexpr std::size_t kStructureOverhead = kStructureHeader + 1;
/// Fifteen full pages: with the standard tables they stay below the 65,535 bytes of a 2.x entry point, and below the
/// 64 KiB window of cloud-hypervisor, which does not check.
inline constexpr std::size_t kMaxStructures = 15 * kPageStructure;
inline constexpr std::size_t kEntryPointTable = 65535;
inline constexpr std::size_t kStandardTables = 1024;  ///< 376 measured with 256 MiB and one processor
inline constexpr std::size_t kTableOfADimm = 128;     ///< QEMU makes one of each 16 GiB
inline constexpr std::size_t kBytesOfADimm = 16ULL << 30;

/// QEMU: FW_CFG_MAX_FILE_PATH is 56 with its NUL; 27 of that are `opt/io.systemd.credentials/`.
inline constexpr std::size_t kMaxFwCfgName = 28;
/// One descriptor an item; 1,024 of them are open at most in most places.
inline constexpr std::size_t kMaxFwCfgItems = 512;
/// This many items fit beside QEMU's own files in the default number of slots; with more it aborts.
inline constexpr std::size_t kFwCfgItemsInDefaultSlots = 8;

/// cloud-hypervisor up to v53.0 takes HTTP bodies of this size, later ones 4 MiB.
inline constexpr std::size_t kSmallBody = 51200;
inline constexpr std::size_t kLargeBody = 4 * 1024 * 1024;
inline constexpr std::size_t kRestOfBody = 8192;  ///< kept free for the rest of vm.create

/// Takes `vsock-stream:` for vmm.notify_socket; 253 tries datagrams, which no vsock with a unix socket as its host end
/// has.
inline constexpr int kFirstWithNotifyStream = 254;

/// COMMAND_LINE_SIZE of x86 and of Firecracker is 2,048; the rest of it is for the user's own words.
inline constexpr std::size_t kMaxKernelWords = 1024;

/// Imports /.extra/system_credentials from an initrd.
inline constexpr int kFirstWithInitrd = 262;

/// The link's token as a credential: "v1 serial " and 64 digits.
inline constexpr std::size_t kLinkLine = 74;

/// systemd connects to a socket that is the source of LoadCredential= from an abstract address that holds both names.
inline constexpr std::size_t kMaxUnitAndId = 83;

}  // namespace vmcred::credential
