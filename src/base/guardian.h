// A process of ours between us and a program that must not outlive us.
//
// PR_SET_PDEATHSIG binds a program to us from the moment on at which it is set, and what the program starts is bound to
// nobody until it says so itself. bubblewrap's first process waits for a word of its parent before it does, so it waits
// for ever where the parent was killed in between. A guardian is there before the program is: it holds one end of a
// pipe of ours, so it hears of our end however that comes, and what loses its parent becomes its child, so it can end
// all of it.
#pragma once

#include <sys/types.h>

#include "base/process.h"
#include "base/result.h"

namespace vmcred {

/// The byte that lets the program start. Any other, at any time, ends it, as the end of the pipe does.
inline constexpr char kGo = 'g';

/// What a freshly forked process does as guardian: waits for kGo on `lifeline`, starts the program with `start`, and
/// when that ends, or is to end, ends whatever is left of it. Then it ends as the program did. Only async-signal-safe
/// calls: we may have threads.
[[noreturn]] void guard(int lifeline, pid_t (*start)(void*), void* argument);

/// A process that does nothing and ends with us, to hold a place.
Result<Child> spawn_keeper();

}  // namespace vmcred
