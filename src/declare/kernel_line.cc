#include "declare/kernel_line.h"

#include <algorithm>

namespace vmcred::declare {

std::vector<std::string> kernel_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  const auto end_word = [&] {
    if (in_word) words.push_back(std::move(word));
    word.clear();
    in_word = false;
  };
  for (const char c : line) {
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      end_word();
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
      in_word = true;
    } else if (c == quote && quote != 0) {
      quote = 0;
    } else {
      word += c;
      in_word = true;
    }
  }
  end_word();
  return words;
}

bool sets_credential(std::string_view word) {
  std::string key(word.substr(0, word.find('=')));
  std::ranges::replace(key, '-', '_');
  return word.contains('=') && (key == "systemd.set_credential" || key == "systemd.set_credential_binary");
}

std::optional<std::string> credential_on_kernel_line(std::string_view line) {
  for (const std::string& word : kernel_words(line)) {
    if (!sets_credential(word)) continue;
    const std::string value = word.substr(word.find('=') + 1);
    return value.contains(':') ? value.substr(0, value.find(':')) : std::string();
  }
  return std::nullopt;
}

}  // namespace vmcred::declare
