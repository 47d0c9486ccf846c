#include "shape/walk.h"

#include <algorithm>

#include "shape/called.h"
#include "shape/encoded.h"
#include "shape/letters.h"
#include "shape/random.h"
#include "shape/thought_up.h"

namespace vmcred::shape {
namespace {

constexpr std::string_view kQuotes = "\"'`";
constexpr std::string_view kOfLists = ",;&?|<>(){}[]";
constexpr int kDeepest = 4;

bool same(std::string_view word, std::string_view expected) { return lowered(word) == expected; }

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  const std::string small = lowered(word);
  return std::ranges::find(list, std::string_view(small)) != list.end();
}

class Walk {
 public:
  Walk(const Whole& whole, std::string_view name, Suspects& suspects)
      : whole_(whole), name_(name), suspects_(suspects) {}

  void all(std::string_view text) {
    while (!text.empty()) {
      const std::size_t begin =
          std::min(find_if(text, [](char c) { return !is_space(c) && !kQuotes.contains(c); }), text.size());
      const bool quoted = begin > 0 && kQuotes.contains(text[begin - 1]);
      text.remove_prefix(begin);
      const std::size_t end =
          std::min(find_if(text, [](char c) { return is_space(c) || kQuotes.contains(c); }), text.size());
      std::string_view word = text.substr(0, end);
      if (word.ends_with('\\')) word.remove_suffix(1);  // of an escaped quote
      if (!word.empty()) one(word, quoted, end == text.size());
      text.remove_prefix(end);
    }
  }

 private:
  template <class Test>
  static std::size_t find_if(std::string_view text, Test test) {
    return static_cast<std::size_t>(std::ranges::find_if(text, test) - text.begin());
  }

  void one(std::string_view word, bool quoted, bool last) {
    const bool alone = last && words_ == 0;
    ++words_;
    if (word == ":" || word == "=" || word == ":=" || word == "=>") {
      pending_ = previous_;
      optional_ = false;
      return;
    }
    if (!pending_.empty() && !(optional_ && word.starts_with('-') && !quoted)) {
      const std::string_view name = pending_;
      if (same(name, "authorization") && is_one_of(word, {"bearer", "basic", "token", "digest", "negotiate", "apikey"}))
        return;
      pending_ = {};
      previous_ = word;
      value(word, name);
      return;
    }
    pending_ = {};
    const std::string_view before = previous_;
    previous_ = word;
    if (word == "login") login_ = true;  // of a netrc
    if (login_ && word == "password") {
      pending_ = word;
      optional_ = false;
      return;
    }
    if (before == "Basic" && content_of(word) == Content::user_and_password) return suspects_.add(word, "a password");
    if (is_one_of(word, {"sshpass"}) || word.ends_with("/sshpass")) sshpass_ = true;
    if (is_one_of(word, {"curl", "wget"}) || word.ends_with("/curl")) curl_ = true;
    if (word.size() > 1 && (word.ends_with('=') || word.ends_with(':'))) {
      const std::string_view name = last_name(word.substr(0, word.size() - 1));
      if (is_name(name) && (word.ends_with(':') || find_if(word, [](char c) { return c == '='; }) == word.size() - 1 ||
                            name.size() + 1 < word.size())) {
        pending_ = name;
        optional_ = false;
        if (name.size() + 1 == word.size()) return;
      }
    }
    if (word.starts_with('-') && word.size() > 1 && !word.contains('=')) {
      option(word);
      return;
    }
    list(word, name_, alone, 0);
  }

  /// "--password", and what follows is its value.
  void option(std::string_view word) {
    const std::string_view name = word.substr(std::min(word.find_first_not_of('-'), word.size()));
    optional_ = true;
    if (sshpass_ && name == "p") {
      pending_ = "password";
    } else if (curl_ && (name == "u" || name == "user")) {
      pending_ = "userpwd";
    } else if (called(name) != Called::nothing) {  // also "-id", whose value is public
      pending_ = name;
    } else {
      list(word, name_, false, 0);
    }
  }

  /// What an '=' at the end of a word assigns to: "passwd" of "<graphics,passwd=".
  static std::string_view last_name(std::string_view word) {
    const std::size_t after = word.find_last_of(kOfLists);
    return after == std::string_view::npos ? word : word.substr(after + 1);
  }

  /// No base64 whose padding looks like an assignment.
  static bool is_name(std::string_view name) {
    constexpr std::size_t kLongest = 64;
    constexpr std::size_t kLeastRandom = 16;
    return !name.empty() && name.size() <= kLongest && name.find_first_of("/+") == std::string_view::npos &&
           !random_word(name, kLeastRandom);
  }

  void value(std::string_view word, std::string_view name) {
    if (lowered(name).starts_with("setcredentialencrypted=")) return;
    if (same(name, "userpwd")) {
      const std::size_t colon = word.find(':');
      if (colon != std::string_view::npos && !stands_for_a_value(word.substr(colon + 1)))
        suspects_.add(word.substr(colon + 1), "a password");
      return;
    }
    const std::string_view meant = resolved(name, word);
    if (called(meant) == Called::secret) return named_secret(word);
    list(word, meant, false, 0);
  }

  /// value=, string= and data= belong to what the list or the element is called.
  std::string_view resolved(std::string_view key, std::string_view text) {
    if (is_one_of(key, {"name", "qom-type", "key"})) context_ = text;
    if (!is_one_of(key, {"value", "string", "data", "content", "text"}) || context_.empty()) return key;
    return whole_.encrypted && same(key, "data") ? "digest" : context_;
  }

  void list(std::string_view word, std::string_view name, bool alone, int depth) {
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos && thought_up(word, alone)) return suspects_.add(word, "a password");
    const std::size_t scheme = word.find("://");
    const bool address = scheme != std::string_view::npos;
    if (address) word = word.substr(0, word.find('#', scheme));
    if (word.starts_with("data:image/") || word.starts_with("data:font/")) return;
    std::size_t index = 0;
    std::string_view element;
    for (std::size_t begin = 0; begin <= word.size(); ++index) {
      std::size_t end = std::min(word.find_first_of(kOfLists, begin), word.size());
      // A value that people thought up may hold '&' and '?'.
      if (end < word.size() && (word[end] == '&' || word[end] == '?') && !address) {
        const std::size_t rest = std::min(word.find_first_of(",;|<>(){}[]", begin), word.size());
        const std::string_view item = word.substr(begin, rest - begin);
        const std::size_t mark = item.find('=');
        if (mark != std::string_view::npos && thought_up(item.substr(mark + 1), true)) end = rest;
      }
      const std::string_view item = word.substr(begin, end - begin);
      const char before = begin == 0 ? '\0' : word[begin - 1];
      if (!item.empty()) {
        const bool text_of_element = before == '>';
        const std::string_view called_so = text_of_element ? (element.empty() ? context_ : element) : name;
        if (before == '<') element = item;
        if (index == 0 && end < word.size() && !item.contains('=') && word[end] == ',') context_ = item;
        one_item(item, called_so, alone, depth);
      }
      begin = end + 1;
    }
  }

  void one_item(std::string_view item, std::string_view name, bool alone, int depth) {
    const std::size_t equals = item.find('=');
    // '=' at the end is padding
    const bool assigns =
        equals != std::string_view::npos && item.find_first_not_of('=', equals) != std::string_view::npos && equals > 0;
    if (assigns) return assigned(item.substr(0, equals), item.substr(equals + 1), depth);
    const std::size_t colon = item.find(':');
    // Go's DSN: user:password@tcp(host)/db
    if (colon != std::string_view::npos && (item.ends_with("@tcp") || item.ends_with("@unix"))) {
      const std::string_view password = item.substr(colon + 1, item.rfind('@') - colon - 1);
      if (!stands_for_a_value(password)) return suspects_.add(password, "a password");
    }
    if (colon != std::string_view::npos && colon > 0 && colon + 1 < item.size() &&
        !item.substr(colon).starts_with("://")) {
      if (called(item.substr(0, colon)) == Called::secret && !refers(item.substr(0, colon), item.substr(colon + 1)))
        return assigned(item.substr(0, colon), item.substr(colon + 1), depth);
      if (thought_up(item.substr(colon + 1), false)) return suspects_.add(item.substr(colon + 1), "a password");
    }
    judge_value(whole_, item, name, alone, suspects_);
  }

  void assigned(std::string_view key, std::string_view text, int depth) {
    // A line of a unit that names credentials holds none.
    if (is_one_of(key, {"loadcredential", "loadcredentialencrypted", "importcredential", "assertcredential",
                        "conditioncredential", "setcredentialencrypted"}))
      return;
    const std::string_view meant = resolved(key, text);
    if (called(meant) == Called::secret) return named_secret(text);
    if (depth < kDeepest && (text.contains('=') || text.contains(':'))) return list(text, meant, false, depth + 1);
    judge_value(whole_, text, meant, true, suspects_);
  }

  /// The whole of it, by what it looks like where it looks like anything.
  void named_secret(std::string_view text) {
    if (stands_for_a_value(text)) return;
    Suspects shapes(text);
    judge_value(whole_, text, {}, false, shapes);
    const std::vector<Suspect> found = std::move(shapes).sorted();
    suspects_.add(text, found.empty() ? kNameSaysSo : found.front().what);
  }

  /// "host-api-key:API_KEY", "api-key:web/key": a name of the credential elsewhere, not its value.
  static bool refers(std::string_view name, std::string_view text) {
    const auto plain = [](std::string_view each) {
      std::string letters;
      for (const char c : each)
        if (is_alphanumeric(c)) letters += as_lower(c);
      return letters;
    };
    if (plain(name).ends_with(plain(text))) return true;
    const std::size_t slash = text.find('/');
    return slash != std::string_view::npos &&
           std::ranges::all_of(
               text,
               [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_' || c == '/' || c == '.'; }) &&
           !random_word(text, 16) && !random_hex(text.substr(slash + 1), 16);
  }

  const Whole& whole_;
  std::string_view name_;
  Suspects& suspects_;
  std::string_view pending_ = {};  // the name that the next word is the value of
  std::string_view previous_ = {};
  std::string_view context_ = {};  // what a list or an element is called
  bool optional_ = false;          // an option may be followed by another one
  bool login_ = false;
  bool sshpass_ = false;
  bool curl_ = false;
  std::size_t words_ = 0;
};

}  // namespace

void walk_words(const Whole& whole, std::string_view text, std::string_view name, Suspects& suspects) {
  Walk(whole, name, suspects).all(text);
}

}  // namespace vmcred::shape
