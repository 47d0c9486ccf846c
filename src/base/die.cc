#include "base/die.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <new>

namespace vmcred {
namespace {

iovec piece(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}  // NOLINT: writev only reads

}  // namespace

void die(std::string_view error, std::string_view hint) noexcept {
  const std::array words = {piece("vmcred: error: "), piece(error), piece("\nvmcred: hint: "), piece(hint),
                            piece("\n")};
  (void)!::writev(STDERR_FILENO, words.data(), words.size());  // nowhere left to complain
  ::_exit(1);
}

void out_of_memory() noexcept {
  die("out of memory", "see which limit holds: 'ulimit -a', MemoryMax= of the unit, or the machine's own memory");
}

void exit_when_memory_ends() noexcept { std::set_new_handler(out_of_memory); }

}  // namespace vmcred
