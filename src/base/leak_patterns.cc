// The search itself: an index of all 8-byte pieces of what is looked for, probed at every eighth byte of a text. Any
// leak of 16 bytes covers one whole aligned piece, so none is missed.
#include <algorithm>
#include <array>
#include <bit>
#include <bitset>
#include <cstring>

#include "base/leak_scan.h"
#include "base/value_forms.h"

namespace vmcred {
namespace {

constexpr std::size_t kPiece = 8;
constexpr std::size_t kWindow = 16;
constexpr std::size_t kLeastBytes = 8;
constexpr std::size_t kLeastDifferent = 5;
constexpr std::size_t kMostCandidates = 64;  ///< of one piece; more only in values that repeat themselves
constexpr std::size_t kMostBits = 1UL << 28;

std::uint64_t piece_at(const std::uint8_t* at) {
  std::uint64_t piece = 0;
  std::memcpy(&piece, at, sizeof piece);
  return piece;
}

std::size_t different_bytes(Bytes bytes) {
  std::bitset<256> seen;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 4096))) seen.set(byte);
  return seen.count();
}

/// Lines of well-known files that are no secret and stand in many files: PEM's fences and age's comments.
bool is_public_line(std::string_view line) {
  return line.starts_with("-----") || line.starts_with("# public key: ") || line.starts_with("# created: ");
}

/// The value without its public lines, in pieces.
std::vector<Bytes> secret_parts(Bytes value) {
  std::vector<Bytes> parts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < value.size();) {
    const auto* const newline =
        static_cast<const std::uint8_t*>(std::memchr(value.data() + at, '\n', value.size() - at));
    const std::size_t end = newline == nullptr ? value.size() : static_cast<std::size_t>(newline - value.data()) + 1;
    if (is_public_line(text_of(value.subspan(at, end - at)))) {
      if (at > begin) parts.push_back(value.subspan(begin, at - begin));
      begin = end;
    }
    at = end;
  }
  if (value.size() > begin) parts.push_back(value.subspan(begin));
  return parts;
}

}  // namespace

struct LeakPatterns::Table {
  struct Pattern {
    std::string name;
    std::string_view encoding;
    Secret text;
  };
  std::vector<Pattern> patterns;
  std::vector<std::size_t> short_patterns;  ///< under 16 bytes: searched for whole

  // The index, made by the first search after an addition.
  bool built = false;
  Secret all;                            ///< the long patterns behind each other
  std::vector<std::uint32_t> starts;     ///< of each long pattern in `all`, and the end
  std::vector<std::size_t> owners;       ///< the long patterns' numbers
  std::vector<std::uint32_t> positions;  ///< of pieces in `all`, sorted by piece
  Secret filter;                         ///< one bit for each hash of a piece
  int shift = 64;

  void add(std::string_view name, std::string_view encoding, Secret text) {
    if (text.size() < kLeastBytes) return;
    if (text.size() < kWindow) short_patterns.push_back(patterns.size());
    patterns.push_back({std::string(name), encoding, std::move(text)});
    built = false;
  }
  void build();
  [[nodiscard]] std::size_t slot(std::uint64_t piece) const {
    return static_cast<std::size_t>((piece * 0x9E3779B97F4A7C15ULL) >> shift);
  }
  [[nodiscard]] bool find_window(Bytes text, Match* match) const;
  [[nodiscard]] bool find_short(Bytes text, Match* match) const;
  [[nodiscard]] bool check(Bytes text, std::size_t at, Match* match) const;
};

void LeakPatterns::Table::build() {
  std::size_t size = 0;
  for (const Pattern& pattern : patterns) size += pattern.text.size() >= kWindow ? pattern.text.size() : 0;
  all = Secret(size);
  starts.clear();
  owners.clear();
  positions.clear();
  std::size_t used = 0;
  for (std::size_t number = 0; number < patterns.size(); ++number) {
    const Secret& text = patterns[number].text;
    if (text.size() < kWindow) continue;
    std::ranges::copy(text.bytes(), all.writable().begin() + static_cast<std::ptrdiff_t>(used));
    starts.push_back(static_cast<std::uint32_t>(used));
    owners.push_back(number);
    for (std::size_t i = 0; i + kPiece <= text.size(); ++i) {
      if (different_bytes(text.bytes().subspan(i, kPiece)) > 1)
        positions.push_back(static_cast<std::uint32_t>(used + i));
    }
    used += text.size();
  }
  starts.push_back(static_cast<std::uint32_t>(used));
  const std::uint8_t* const base = all.bytes().data();
  // Of the same piece in several forms the first one comes first: the value as it is.
  std::ranges::sort(positions, {},
                    [base](std::uint32_t position) { return std::pair(piece_at(base + position), position); });
  const std::size_t bits = std::clamp(std::bit_ceil(positions.size() * 32), 1UL << 16, kMostBits);
  shift = 64 - std::countr_zero(bits);
  filter = Secret(bits / 8);
  for (const std::uint32_t position : positions) {
    const std::size_t bit = slot(piece_at(base + position));
    filter.writable()[bit / 8] |= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  built = true;
}

/// Is the piece at `at` part of 16 bytes or more that agree with a pattern?
bool LeakPatterns::Table::check(Bytes text, std::size_t at, Match* match) const {
  const std::uint8_t* const base = all.bytes().data();
  const auto piece_of = [base](std::uint32_t position) { return piece_at(base + position); };
  const auto same = std::ranges::equal_range(positions, piece_at(text.data() + at), {}, piece_of);
  std::size_t tried = 0;
  for (const std::uint32_t position : same) {
    if (++tried > kMostCandidates) return false;
    const auto owner = static_cast<std::size_t>(std::ranges::upper_bound(starts, position) - starts.begin()) - 1;
    std::size_t left = 0;
    while (left < at && position - left > starts[owner] && text[at - left - 1] == base[position - left - 1]) ++left;
    std::size_t right = kPiece;
    while (at + right < text.size() && position + right < starts[owner + 1] &&
           text[at + right] == base[position + right]) {
      ++right;
    }
    if (left + right < kWindow) continue;
    if (different_bytes(text.subspan(at - left, left + right)) < kLeastDifferent) continue;
    const Pattern& pattern = patterns[owners[owner]];
    *match = {pattern.name, pattern.encoding, at - left, left + right};
    return true;
  }
  return false;
}

bool LeakPatterns::Table::find_window(Bytes text, Match* match) const {
  if (positions.empty() || text.size() < kWindow) return false;
  const std::uint8_t* const bits = filter.bytes().data();
  for (std::size_t at = 0; at + kPiece <= text.size(); at += kPiece) {
    const std::size_t bit = slot(piece_at(text.data() + at));
    if ((bits[bit / 8] >> (bit % 8) & 1) == 0) continue;
    if (check(text, at, match)) return true;
  }
  return false;
}

bool LeakPatterns::Table::find_short(Bytes text, Match* match) const {
  for (const std::size_t number : short_patterns) {
    const Pattern& pattern = patterns[number];
    const void* const found = ::memmem(text.data(), text.size(), pattern.text.bytes().data(), pattern.text.size());
    if (found == nullptr) continue;
    *match = {pattern.name, pattern.encoding,
              static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - text.data()), pattern.text.size()};
    return true;
  }
  return false;
}

LeakPatterns::LeakPatterns() : table_(std::make_unique<Table>()) {}
LeakPatterns::LeakPatterns(LeakPatterns&&) noexcept = default;
LeakPatterns& LeakPatterns::operator=(LeakPatterns&&) noexcept = default;
LeakPatterns::~LeakPatterns() = default;

bool LeakPatterns::add(std::string_view name, const Secret& value) {
  bool searchable = false;
  for (const Bytes part : secret_parts(value.bytes())) {
    if (part.size() < kLeastBytes || different_bytes(part) < kLeastDifferent) continue;
    searchable = true;
    for (ValueForm& form : forms_of(part)) table_->add(name, form.encoding, std::move(form.text));
  }
  return searchable;
}

bool LeakPatterns::find(Bytes text, Match* match) const {
  if (!table_->built) table_->build();
  return table_->find_window(text, match) || table_->find_short(text, match);
}

}  // namespace vmcred
