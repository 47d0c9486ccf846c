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

/// A word that declares one fw_cfg item, as QEMU and crosvm write it; a value in it joins `strings`.
void check_fw_cfg(Words& words, std::size_t index, std::vector<OpenString>& strings);

inline constexpr std::string_view kDeliver = "deliver it with vmcred, which uses descriptors alone";

void check_qemu(Words& words);
/// The text of a -readconfig file; OEM strings and fw_cfg items join `strings`.
void judge_qemu_configuration(std::string_view text, const std::string& file, std::vector<OpenString>& strings, std::vector<Finding>& findings);

void check_firecracker(Words& words);
/// Firecracker's --config-file and --metadata.
void judge_firecracker_configuration(std::string_view text, const std::string& file, std::vector<Finding>& findings);

void check_cloud_hypervisor(Words& words);
/// systemd-vmspawn, systemd-nspawn, mkosi and virt-install.
void check_vm_tool(Words& words, std::string_view program);
void check_crosvm(Words& words);

}  // namespace vmcred::chain
