// The words of somebody's command line while they are judged, and what several hypervisors say alike.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chain/finding.h"
#include "chain/oem_strings.h"

namespace vmcred::chain {

inline constexpr std::string_view kWhoReadsCommandLines = "everybody on the host reads command lines";

struct Words {
  const std::vector<std::string>& all;
  const std::string& name;
  int systemd;
  std::vector<Finding>& findings;
  std::vector<bool> told;  ///< words that have a finding of their own

  [[nodiscard]] declare::Place place(std::size_t index) const;
  void add(Code code, std::size_t index, std::string message, std::string hint);
};

/// key=value lists: ',' separates, ',,' is a comma (QEMU's).
std::vector<std::pair<std::string, std::string>> properties(std::string_view text);

/// A word that is the kernel's command line.
void check_kernel_words(Words& words, std::size_t index);

/// A word that declares one fw_cfg item, as QEMU and crosvm write it; a value in it joins `strings`.
void check_fw_cfg(Words& words, std::size_t index, std::vector<OpenString>& strings);

void check_cloud_hypervisor(Words& words);
void check_crosvm(Words& words);

}  // namespace vmcred::chain
