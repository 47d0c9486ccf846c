#include "vmm/foreign.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "declare/kernel_line.h"

namespace vmcred::vmm {
namespace {

constexpr int kFirstOwnFd = 3;

/// Reads numbers with ':', ',' or '[' between them, as far as they go.
void read_numbers(std::string_view text, std::vector<int>& into) {
  while (!text.empty()) {
    if (text.front() == '[' || text.front() == ':') {
      text.remove_prefix(1);
      continue;
    }
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return;
    if (number >= kFirstOwnFd) into.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    // A comma goes on only inside brackets; outside it begins the next property, which is no number anyway.
    if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  }
}

}  // namespace

std::string_view program_name(const Foreign& foreign) {
  if (foreign.argv.empty()) return {};
  std::string_view name = foreign.argv.front();
  const std::size_t slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

std::vector<int> named_fds(std::span<const std::string> words) {
  static constexpr std::array<std::string_view, 4> kKeys = {"fd=", "fds=", "vhostfd=", "vhostfds="};
  static constexpr std::array<std::string_view, 2> kFolders = {"/dev/fd/", "/proc/self/fd/"};
  std::vector<int> found;
  for (const std::string_view word : words) {
    for (const std::string_view key : kKeys) {
      for (std::size_t at = word.find(key); at != std::string_view::npos; at = word.find(key, at + 1)) {
        if (at == 0 || word[at - 1] == ',') read_numbers(word.substr(at + key.size()), found);
      }
    }
    for (const std::string_view folder : kFolders) {
      for (std::size_t at = word.find(folder); at != std::string_view::npos; at = word.find(folder, at + 1)) {
        read_numbers(word.substr(at + folder.size()), found);
      }
    }
  }
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  return found;
}

void make_room_for_fds(Launch& launch, std::span<const std::string> words) {
  launch.kept_fds = named_fds(words);
  if (launch.kept_fds.empty()) return;
  const int next = launch.kept_fds.back() + 1;
  launch.control_fd = next;
  launch.link_fd = next + 1;
  launch.guard_fd = next + 2;
  if (launch.event_fd != 0) launch.event_fd = next + 3;
  launch.first_blob_fd = std::max(launch.first_blob_fd, next + 4);
}

Result<> check_kernel_line(std::string_view line) {
  const std::optional<std::string> name = declare::credential_on_kernel_line(line);
  if (!name) return {};
  return hint(
      fail(Errc::usage, "the kernel's command line sets the credential '{}', and everybody reads it there", *name),
      "remove it and declare it as a credential of the vm");
}

std::optional<std::string> property(std::string_view list, std::string_view key) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] != ',') {
      parts.back() += list[i];
    } else if (i + 1 < list.size() && list[i + 1] == ',') {
      parts.back() += ',';
      ++i;
    } else {
      parts.emplace_back();
    }
  }
  if (key.empty()) {
    if (parts.front().contains('=') || parts.front().empty()) return std::nullopt;
    return parts.front();
  }
  for (const std::string& part : parts) {
    if (part.size() > key.size() && part.starts_with(key) && part[key.size()] == '=')
      return part.substr(key.size() + 1);
  }
  return std::nullopt;
}

}  // namespace vmcred::vmm
