#include "chain/exposed.h"

#include <algorithm>

#include "declare/secret_shape.h"

namespace vmcred::chain {
namespace {

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return copy;
}

bool called_secret(std::string_view name) {
  const std::string word = lower(name);
  if (word.ends_with("file") || word.ends_with("path") || word.ends_with("dir") || word.ends_with("_id") || word.ends_with("url")) return false;
  for (const std::string_view part : {"password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "api-key", "private_key", "private-key"})
    if (word.find(part) != std::string::npos) return true;
  return false;
}

bool harmless(std::string_view value) {
  const std::string word = lower(value);
  return value.empty() || value.starts_with('/') || value.starts_with('%') || value.starts_with('$') || word == "true" || word == "false" ||
         word == "yes" || word == "no" || word == "none";
}

}  // namespace

std::optional<std::string_view> shape_of(std::string_view value) { return declare::looks_like_secret(value); }

std::optional<std::string> exposed(std::string_view name, std::string_view value) {
  if (const auto what = shape_of(value)) return std::string(*what);
  if (called_secret(name) && !harmless(value)) return "its name says so";
  return {};
}

std::vector<std::pair<std::string, std::string>> assignments(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> all;
  std::string word;
  char quote = 0;
  const auto finish = [&] {
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos) all.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    word.clear();
  };
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ' ' || c == '\t') {
      finish();
    } else {
      word += c;
    }
  }
  finish();
  return all;
}

}  // namespace vmcred::chain
