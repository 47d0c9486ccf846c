// Debian ships fmt as headers and a shared library only, and the programs are static. So the functions of that library
// are made here, once: with FMT_HEADER_ONLY the headers define them inline, and CMakeLists.txt has this file keep its
// inline functions.
#define FMT_HEADER_ONLY
#include <fmt/format.h>

#include <locale>
#include <string>

namespace vmcred {

/// Formats one argument of each kind, so that all templates behind them are made in this file. Nobody calls it.
std::string every_kind_of_argument(const std::locale& locale, double number, float small, long double large) {
  return fmt::format(locale, "{:L} {} {} {} {} {:>{}}", number, small, large, 1, static_cast<const void*>(nullptr), "",
                     3);
}

}  // namespace vmcred
