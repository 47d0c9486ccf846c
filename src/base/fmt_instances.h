#pragma once
// What fmt_instances.cc exports besides fmt's own functions.

#include <locale>
#include <string>

namespace vmcred {

/// Formats one argument of each kind, so that all templates behind them are made in that file. Nobody calls it.
std::string every_kind_of_argument(const std::locale& locale, double number, float small, long double large);

}  // namespace vmcred
