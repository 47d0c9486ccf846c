#include "base/memory.h"

#include <unistd.h>

#include <new>
#include <string_view>

namespace vmcred {

void out_of_memory() noexcept {
  constexpr std::string_view kWords =
      "vmcred: error: out of memory\nvmcred: hint: see which limit holds: 'ulimit -a', MemoryMax= of a unit, or the "
      "machine's memory\n";
  (void)!::write(STDERR_FILENO, kWords.data(), kWords.size());  // nowhere left to complain
  ::_exit(1);
}

void exit_when_memory_ends() noexcept { std::set_new_handler(out_of_memory); }

}  // namespace vmcred
