#include "shape/random.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>

#include "shape/letters.h"

namespace vmcred::shape {
namespace {

// How much likelier than a uniform letter the second letter of a pair is in names and prose: 'a' is -5 bits, each
// letter more 0.4 bits. Counted over 37,579 different words (square roots of their counts) of the Python library,
// perl's manuals, the C headers and systemd's units on Debian 12. A row is the first letter.
constexpr std::array<std::string_view, 26> kPairs = {
    "fnpofhlemdirnqdmdqpsjjgjjd",  // a
    "pjljqkhgqlhsihpjfookqihgmf",  // b
    "qilhqgeqncoomisjenkqmkdfhd",  // c
    "ojkpujihrgcljiokhmojnjiiie",  // d
    "nhoqlmkficfnmqhljsqogkhnid",  // e
    "ohllpqgfscdonlqkdonnofgekc",  // f
    "ohkgthknpddnkqnjdponnggdgi",  // g
    "tggitiggrcfkliqhcomnmfhdjd",  // h
    "mkonmmnddcfnnupkelopdldhcl",  // i
    "qflhuifeocihmjrmcimjskdddd",  // j
    "okkkuijkqdfnjmljeirlkhmfgh",  // k
    "qihmtiihrcgqggqidhnnmjgeof",  // l
    "smhjsiffqckkmgpregninjeefd",  // m
    "phpqqmrgndijhjniegqslkfdgd",  // n
    "kkonhlkeleinotlocrnnolmfed",  // o
    "qikkriimncjpijpngrnpmjheld",  // p
    "kljmhjhiocclilgjkpniwjjjce",  // q
    "qglltikfqciknmpjemooljgeld",  // r
    "ngnhsihnqclmjhmnhkpsokigke",  // s
    "pgkisifoscfkiiokeqommfhinf",  // t
    "mpnknljinceposhofqqqffghce",  // u
    "rjnktokhpcemohmlglpmjlihce",  // v
    "rjmmqjipscelkopjfpohmgjdch",  // w
    "ojplpnggochjljkrejntjqglie",  // x
    "llkhnkhioccnopnuclqojfjfhg",  // y
    "rjkhwifjocfkkgnihgjigfhmik",  // z
};

enum Kind : std::size_t { lower, upper, digit, sign };
Kind kind_of(char c) { return is_lower(c) ? lower : is_upper(c) ? upper : is_digit(c) ? digit : sign; }

// What follows what in names and prose: lower, upper, digit, sign.
constexpr double kNext[4][4] = {
    {0.86, 0.05, 0.03, 0.06},
    {0.60, 0.30, 0.03, 0.07},
    {0.15, 0.05, 0.65, 0.15},
    {0.60, 0.15, 0.20, 0.05},
};
constexpr double kSigns = 4;  // - _ + /
constexpr double kDigits = 10;
constexpr double kLetters = 26;

double log_text(char before, char c) {
  const Kind kind = kind_of(c);
  double bits = std::log2(kNext[kind_of(before)][kind]);
  if (kind == digit) return bits - std::log2(kDigits);
  if (kind == sign) return bits - std::log2(kSigns);
  bits -= std::log2(kLetters);
  if (!is_letter(before)) return bits;
  const auto row = static_cast<std::size_t>(as_lower(before) - 'a');
  const auto column = static_cast<std::size_t>(as_lower(c) - 'a');
  return bits + (kPairs.at(row).at(column) - 'a') / 2.5 - 5;
}

double alphabet_of(std::string_view word) {
  std::array<bool, 4> has{};
  bool hex = true;
  for (const char c : word) {
    has.at(kind_of(c)) = true;
    hex = hex && is_hex(c);
  }
  if (hex && has[digit] && has[lower] != has[upper]) return 16;
  return (has[lower] ? 26 : 0) + (has[upper] ? 26 : 0) + (has[digit] ? 10 : 0) + (has[sign] ? 2 : 0);
}

}  // namespace

double randomness(std::string_view word) {
  if (word.size() < 2) return 0;
  const double each = std::log2(alphabet_of(word));
  double bits = 0;
  for (std::size_t i = 1; i < word.size(); ++i) bits += -each - log_text(word[i - 1], word[i]);
  return bits;
}

bool random_word(std::string_view word, std::size_t least) {
  // Of 20,000 random words of 22 letters 0.5 percent are below; of 16,183 names and paths of 20 letters and more that
  // mix two kinds of letters none is above.
  constexpr double kBits = 8;
  constexpr double kEachLetter = 0.2;
  while (word.ends_with('=')) word.remove_suffix(1);
  if (word.size() < least) return false;
  const auto kinds = static_cast<std::size_t>(std::ranges::any_of(word, is_lower)) +
                     static_cast<std::size_t>(std::ranges::any_of(word, is_upper)) +
                     static_cast<std::size_t>(std::ranges::any_of(word, is_digit));
  if (kinds < 2 || !std::ranges::any_of(word, is_letter)) return false;  // numbers, rows of capitals, words
  return randomness(word) >= std::max(kBits, kEachLetter * static_cast<double>(word.size()));
}

bool random_hex(std::string_view word, std::size_t least) {
  if (word.size() < least || !std::ranges::all_of(word, is_hex)) return false;
  if (std::ranges::all_of(word, is_digit)) return false;
  std::bitset<256> seen;
  for (const char c : word) seen.set(static_cast<unsigned char>(as_lower(c)));
  return seen.count() >= 7;
}

}  // namespace vmcred::shape
