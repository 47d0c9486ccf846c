// What happens where there is no memory left: a plain end, as every other failure has one.
#pragma once

namespace vmcred {

/// Says so on standard error and exits with 1, without a core file and without running destructors: whatever was being
/// done is then as after a kill, which every command gets over.
[[noreturn]] void out_of_memory() noexcept;

/// From now on `new` ends the program so, in every thread, instead of throwing std::bad_alloc through code that has no
/// answer.
void exit_when_memory_ends() noexcept;

}  // namespace vmcred
