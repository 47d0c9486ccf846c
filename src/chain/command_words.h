// The words of somebody's command line while they are judged, and what several hypervisors say alike.
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/finding.h"
#include "chain/kernel_line.h"
#include "chain/oem_strings.h"
#include "shape/secret_shape.h"

namespace vmcred::chain {

inline constexpr std::string_view kWhoReadsCommandLines = "everybody on the host reads command lines";
inline constexpr std::string_view kWhoReadsFiles =
    "whoever reads the file reads it, and most of it ends on a command line";

struct Words {
  const std::vector<std::string>& all;
  const std::string& name;
  int systemd;
  std::vector<Finding>& findings;
  const std::vector<declare::Place>& places;  ///< of each word; empty: they have none
  bool reads_files;
  std::vector<bool> told;  ///< words that have a finding of their own

  [[nodiscard]] declare::Place place(std::size_t index) const;
  void add(Code code, std::size_t index, std::string message, std::string hint);
  /// The text of the file that the word names; nothing, and a note, where it is not read.
  std::optional<std::string> file(std::size_t index, std::string_view path);
};

/// What is given to an option, as "--option VALUE" or "--option=VALUE".
struct Given {
  std::size_t index = 0;  ///< of the word that holds the value
  std::string_view value;
};
std::vector<Given> values_of(const Words& words, std::string_view option);

/// Whatever else looks like a secret, in the words that have no finding of their own.
void judge_other_words(Words& words);

/// key=value lists: ',' separates, ',,' is a comma (QEMU's).
std::vector<std::pair<std::string, std::string>> properties(std::string_view text);

/// A word that is the kernel's command line.
void check_kernel_words(Words& words, std::size_t index);

/// What declares one fw_cfg item, as QEMU and crosvm write it, in the word `index`; it joins `items`.
void check_fw_cfg(Words& words, std::size_t index, std::string_view declared, std::vector<OpenString>& items);

inline constexpr std::string_view kDeliver = "deliver it with vmcred, which uses descriptors alone";

void check_qemu(Words& words);
/// Words that another program hands to QEMU; the first one is its program.
void check_passed_on(Words& words, std::vector<std::string> passed, const std::vector<declare::Place>& places);
/// What a -readconfig file gives to the guest.
struct Offered {
  std::vector<OpenString> strings = {};
  std::vector<OpenString> items = {};  ///< of fw_cfg
  std::string machine = {};            ///< its type, where the file says it
  bool firmware = false;               ///< a pflash drive
};
void judge_qemu_configuration(std::string_view text, const std::string& file, Offered& offered,
                              std::vector<Finding>& findings);
/// Why OEM strings do not reach the guest of that machine of QEMU's, and the remedy; nothing where they do. `firmware`:
/// it has some of its own.
std::optional<std::pair<std::string, std::string>> without_smbios(std::string_view architecture,
                                                                  std::string_view machine, bool firmware);

void check_firecracker(Words& words);
/// Firecracker's --config-file and --metadata.
void judge_firecracker_configuration(std::string_view text, const std::string& file, std::vector<Finding>& findings);

void check_cloud_hypervisor(Words& words);
/// systemd-vmspawn, systemd-nspawn, mkosi and virt-install.
void check_vm_tool(Words& words, std::string_view program);
void check_crosvm(Words& words);

}  // namespace vmcred::chain
