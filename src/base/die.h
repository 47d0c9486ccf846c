// The plain end of a program that has no way on: an exit code and words, as every other failure has them.
#pragma once

#include <string_view>

namespace vmcred {

/// Says `error` and `hint` (one line each, without "vmcred:") on standard error and exits with 1: no core file, no
/// signal and no destructors. Whatever was being done is then as after a kill, which every command gets over. Allocates
/// nothing.
[[noreturn]] void die(std::string_view error, std::string_view hint) noexcept;

[[noreturn]] void out_of_memory() noexcept;

/// From now on `new` calls out_of_memory() in every thread, instead of throwing std::bad_alloc through code that has no
/// answer.
void exit_when_memory_ends() noexcept;

}  // namespace vmcred
