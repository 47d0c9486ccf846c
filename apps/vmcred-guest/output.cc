// The tool's two ways to speak: results on stdout, remarks on stderr.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "commands.h"

namespace vmcred::guest {
namespace {

void write_all_to(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) std::_Exit(fd == 1 && errno == EPIPE ? 0 : 1);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void print(std::string_view text) { write_all_to(STDOUT_FILENO, text); }
void note(std::string_view line) { write_all_to(STDERR_FILENO, std::string(line) + "\n"); }

}  // namespace vmcred::guest
