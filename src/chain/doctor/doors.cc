#include "chain/doctor/doors.h"

#include <cerrno>
#include <cstring>

namespace vmcred::chain::doctor {
namespace {

constexpr std::chrono::seconds kLongest{15};
constexpr std::size_t kMaxOutput = 4 * 1024 * 1024;

}  // namespace

Doors real_doors(const std::string& search_path) {
  return {.run = [search_path](const std::vector<std::string>& argv) -> Result<Output> {
    Command command = {.argv = argv};
    const auto program = find_program(argv.at(0), search_path);
    if (!program) return fail(Errc::not_found, "there is no program '{}'", argv.at(0));
    command.argv[0] = *program;
    command.environment =
        std::vector<std::string>{"PATH=" + search_path, "LC_ALL=C", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER="};
    return vmcred::run(command, {.max_output = kMaxOutput, .limit = kLongest});
  }};
}

std::string error_in_words(int error_number) {
  const char* const words = ::strerrordesc_np(error_number);
  const char* const name = ::strerrorname_np(error_number);
  std::string text = words == nullptr ? "unknown error" : words;
  if (text.size() > 1 && text[1] >= 'a' && text[1] <= 'z') text[0] = static_cast<char>(text[0] | 0x20);
  return name == nullptr ? text : fmt::format("{} ({})", text, name);
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

}  // namespace vmcred::chain::doctor
