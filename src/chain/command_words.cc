#include "chain/command_words.h"

#include <fmt/core.h>

#include "base/file.h"
#include "chain/kernel_line.h"

namespace vmcred::chain {

declare::Place Words::place(std::size_t index) const {
  if (index < places.size()) return places[index];
  return {.file = fmt::format("{}, argument {}", name, index)};
}

void Words::add(Code code, std::size_t index, std::string message, std::string hint) {
  told[index] = true;
  findings.push_back(finding(code, place(index), std::move(message), std::move(hint)));
}

std::optional<std::string> Words::file(std::size_t index, std::string_view path) {
  constexpr std::size_t kMaxFile = 4UL * 1024 * 1024;
  const auto left_out = [&](std::string message, std::string remedy) {
    findings.push_back(finding(Code::not_looked_at, place(index), std::move(message), std::move(remedy)));
  };
  if (!reads_files) {
    left_out("a file that the command line names is not looked into", fmt::format("vmcred check --config {}", path));
    return {};
  }
  auto text = read_file(std::string(path), kMaxFile);
  if (text) return *std::move(text);
  left_out(fmt::format("a file that the command line names: {}", text.error().message), text.error().hint);
  return {};
}

std::vector<Given> values_of(const Words& words, std::string_view option) {
  std::vector<Given> all;
  for (std::size_t i = 1; i < words.all.size(); ++i) {
    const std::string_view word = words.all[i];
    if (word == option && i + 1 < words.all.size()) all.push_back({i + 1, words.all[i + 1]});
    if (word.starts_with(option) && word.substr(option.size()).starts_with('='))
      all.push_back({i, word.substr(option.size() + 1)});
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> properties(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> all;
  std::string word;
  const auto finish = [&] {
    const std::size_t equals = word.find('=');
    all.emplace_back(word.substr(0, equals), equals == std::string::npos ? "" : word.substr(equals + 1));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      word += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      word += text[i++];
    } else {
      finish();
    }
  }
  finish();
  return all;
}

void check_passed_on(Words& words, std::vector<std::string> passed, const std::vector<declare::Place>& places) {
  Words inner{passed,
              words.name,
              words.systemd,
              words.findings,
              places,
              words.reads_files,
              std::vector<bool>(passed.size(), false)};
  check_qemu(inner);
  judge_other_words(inner);
}

void check_kernel_words(Words& words, std::size_t index) {
  words.told[index] = true;
  judge_kernel_line(words.all[index], words.place(index), Code::secret_on_command_line, words.findings);
}

void check_fw_cfg(Words& words, std::size_t index, std::string_view declared, std::vector<OpenString>& items) {
  std::string name;
  std::string text;
  for (const auto& [key, given] : properties(declared)) {
    if (key == "name") name = given;
    if (key.starts_with("opt/")) name = key;
    if (key == "string") text = given;
  }
  judge_item_name(name, words.place(index), words.findings);
  const auto as_string = item_as_string(name, text);
  if (!as_string) return;
  items.push_back({*as_string, words.place(index), !text.empty()});
  if (!text.empty()) words.told[index] = true;
}

}  // namespace vmcred::chain
