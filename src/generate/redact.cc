#include "generate/redact.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <memory>
#include <unordered_map>

#include "base/value_forms.h"
#include "generate/text_view.h"

namespace vmcred::generate {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kShortestForm = 5;  ///< of what is not the value as it is
constexpr std::size_t kRawWindow = 12;    ///< a piece of so many characters is hidden also where the rest is not there
constexpr std::size_t kFormWindow = 8;
constexpr std::string_view kHidden = "[hidden]";

/// Where in a view each piece of one length stands.
class Places {
 public:
  Places(std::string_view text, std::size_t length) : next_(text.size()), may_be_(std::make_unique<Filter>()) {
    for (std::size_t at = text.size() < length ? 0 : text.size() - length + 1; at-- > 0;) {
      const std::string_view piece = text.substr(at, length);
      const auto [entry, is_new] = first_.try_emplace(piece, at);
      next_[at] = is_new ? kNone : entry->second;
      entry->second = at;
      may_be_->set(sketch(piece));
    }
  }
  /// Calls `hide` for each place of the piece, the first time it is asked for.
  template <class Hide>
  void take(std::string_view piece, const Hide& hide) {
    if (!may_be_->test(sketch(piece))) return;
    const auto entry = first_.find(piece);
    if (entry == first_.end()) return;
    for (std::size_t at = std::exchange(entry->second, kNone); at != kNone; at = next_[at]) hide(at);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  using Filter = std::bitset<1U << 18U>;
  static std::size_t sketch(std::string_view piece) {
    std::size_t sum = 0;
    for (const char c : piece) sum = sum * 31 + static_cast<unsigned char>(c);
    return sum % Filter().size();
  }
  std::unordered_map<std::string_view, std::size_t> first_;
  std::vector<std::size_t> next_;
  std::unique_ptr<Filter> may_be_;
};

/// One way to read the text, and what of it is to be hidden.
class Reading {
 public:
  Reading(TextView view, std::vector<bool>& hidden) : view_(std::move(view)), hidden_(hidden) {}

  /// Hides the form, or each piece of it that has `window` characters where it is longer than that.
  void hide(std::string_view form, std::size_t window) {
    if (form.empty()) return;
    const std::size_t length = std::min(form.size(), window);
    Places& places = places_.try_emplace(length, view_.text.text(), length).first->second;
    for (std::size_t at = 0; at + length <= form.size(); ++at) {
      places.take(form.substr(at, length), [&](std::size_t place) {
        const auto begin = static_cast<std::ptrdiff_t>(view_.begin[place]);
        std::fill(hidden_.begin() + begin, hidden_.begin() + static_cast<std::ptrdiff_t>(view_.end[place + length - 1]),
                  true);
      });
    }
  }
  [[nodiscard]] const TextView& view() const { return view_; }

 private:
  TextView view_;
  std::vector<bool>& hidden_;
  std::map<std::size_t, Places> places_;
};

/// All ways to read it: as it is and with each kind of escapes decoded; of each also without white space, and as a hex
/// dump.
struct Readings {
  std::vector<Reading> plain, joined, dumps;

  Readings(std::string_view text, std::vector<bool>& hidden) {
    plain.emplace_back(TextView::of(text), hidden);
    for (const Escapes kind :
         {Escapes::percent, Escapes::form, Escapes::backslash, Escapes::printable, Escapes::entities})
      if (text.find(escape_sign(kind)) != std::string_view::npos)
        plain.emplace_back(decoded(plain[0].view(), kind), hidden);
    for (const Reading& reading : plain) {
      joined.emplace_back(unwrapped(reading.view()), hidden);
      dumps.emplace_back(hex_digits(reading.view()), hidden);
    }
  }
  static void hide_in(std::vector<Reading>& readings, std::string_view form, std::size_t window) {
    for (Reading& reading : readings) reading.hide(form, window);
  }
};

/// hexdump(1) without options shows words of two bytes, the second one first.
Secret words_swapped(const Secret& hex, std::size_t skip) {
  Secret swapped = Secret::copy_of(hex.bytes().subspan(skip));
  const WritableBytes text = swapped.writable();
  for (std::size_t at = 0; at + 4 <= text.size(); at += 4) {
    std::swap(text[at], text[at + 2]);
    std::swap(text[at + 1], text[at + 3]);
  }
  return swapped;
}

void hide_value(Readings& readings, Bytes value) {
  if (value.size() < kShortest) return;
  const Secret joined = std::move(unwrapped(TextView::of(text_of(value))).text);
  if (joined.size() >= kFormWindow) Readings::hide_in(readings.joined, joined.text(), kRawWindow);
  bool dumped = false;
  for (const ValueForm& form : forms_of(value)) {
    const std::string_view text = form.text.text();
    if (form.encoding == "raw") {
      Readings::hide_in(readings.plain, text, kRawWindow);
    } else if (text.size() < kShortestForm) {
      continue;
    } else if (form.encoding == "hex") {
      if (std::exchange(dumped, true))
        continue;  // the first one is lower case without separators, as the dumps are read
      Readings::hide_in(readings.dumps, text, kFormWindow);
      for (const std::size_t skip : {0U, 2U})
        Readings::hide_in(readings.dumps, words_swapped(form.text, skip).text(), kFormWindow);
    } else {
      Readings::hide_in(readings.joined, text, kFormWindow);
    }
  }
}

/// Lines that are too short for a piece are looked for as they are.
void hide_short_lines(Readings& readings, std::string_view value) {
  while (!value.empty()) {
    const std::size_t end = std::min(value.find('\n'), value.size());
    if (end >= kShortest && end < kRawWindow) Readings::hide_in(readings.plain, value.substr(0, end), kRawWindow);
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

/// Lines stay lines: at its edges what is hidden gives its newlines back.
void give_newlines_back(std::string_view text, std::vector<bool>& hidden) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n' && hidden[i] && (i == 0 || !hidden[i - 1])) hidden[i] = false;
  for (std::size_t i = text.size(); i-- > 0;)
    if (text[i] == '\n' && hidden[i] && (i + 1 == text.size() || !hidden[i + 1])) hidden[i] = false;
}

}  // namespace

std::string redacted(std::string_view text, const std::vector<const Secret*>& secrets, std::size_t max_lines) {
  std::vector<bool> hidden(text.size(), false);
  if (!text.empty()) {
    Readings readings(text, hidden);
    for (const Secret* secret : secrets) {
      hide_value(readings, secret->bytes());
      hide_short_lines(readings, secret->text());
    }
  }
  give_newlines_back(text, hidden);
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hidden[i]) {
      if (i == 0 || !hidden[i - 1]) clean += kHidden;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    clean += (byte < 0x20 && text[i] != '\n' && text[i] != '\t') || byte == 0x7f ? '?' : text[i];
  }
  while (clean.ends_with('\n')) clean.pop_back();
  std::size_t start = clean.size();
  for (std::size_t lines = 0; lines < max_lines && start != 0 && start != std::string::npos; ++lines)
    start = clean.rfind('\n', start - 1);
  if (start != 0 && start != std::string::npos && start < clean.size()) return "…" + clean.substr(start);
  return clean;
}

}  // namespace vmcred::generate
