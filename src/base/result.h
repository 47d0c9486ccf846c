// The error vocabulary: every fallible function returns a Result, main prints it once.
#pragma once

#include <fmt/core.h>

#include <cerrno>
#include <cstdint>
#include <expected>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

namespace vmcred {

/// What kind of failure it was; callers branch on this, people read the message.
enum class Errc : std::uint8_t { usage, not_found, denied, invalid_data, io, unavailable, mismatch };

/// A failure: one lower-case sentence without a full stop, names in '…', never a secret.
struct Error {
  Errc code = Errc::io;
  std::string message;
  std::string hint = {};  ///< the remedy, a sentence of its own; empty where there is none
};

template <class T = void>
using Result = std::expected<T, Error>;

using Failure = std::unexpected<Error>;

/// A failure with a checked fmt format: `return fail(Errc::usage, "no vm '{}'", name);`
template <class... Args>
[[nodiscard]] Failure fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

/// The same failure with a hint line: `return hint(fail(…), "run 'vmcred vars generate'");`
[[nodiscard]] inline Failure hint(Failure failure, std::string remedy) {
  failure.error().hint = std::move(remedy);
  return failure;
}

/// A failure of the system call that set `error_number`: "what: No such file or directory".
[[nodiscard]] Failure system_failure(int error_number, std::string what);

/// A failure of the system call that just failed (reads errno before it formats):
/// `return fail_errno("open '{}'", path);` gives "open 'x': No such file or directory".
template <class... Args>
[[nodiscard]] Failure fail_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int saved = errno;
  return system_failure(saved, fmt::format(format, std::forward<Args>(args)...));
}

/// Prepends what the caller was doing: `in("load 'db.age'", decrypt(…))` -> "load 'db.age': no identity matches".
template <class T>
[[nodiscard]] Result<T> in(std::string_view doing, Result<T> result) {
  if (!result) result.error().message = fmt::format("{}: {}", doing, result.error().message);
  return result;
}

/// For gtest and logs: "message (hint)".
std::ostream& operator<<(std::ostream& out, const Error& error);

}  // namespace vmcred

#define VMCRED_CAT_(a, b) a##b
#define VMCRED_CAT(a, b) VMCRED_CAT_(a, b)

/// Statement: declares `declaration` from the value of a Result, or returns its error.
#define TRY_LET(declaration, ...) TRY_LET_(VMCRED_CAT(try_, __COUNTER__), declaration, __VA_ARGS__)
#define TRY_LET_(result, declaration, ...)                        \
  auto result = (__VA_ARGS__);                                    \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)

/// Statement: returns the error of a Result<>, if there is one.
#define TRY(...)                                                            \
  do {                                                                      \
    auto try_result = (__VA_ARGS__);                                        \
    if (!try_result) return std::unexpected(std::move(try_result).error()); \
  } while (false)
