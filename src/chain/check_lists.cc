// Command lines of cloud-hypervisor and crosvm: a list of OEM strings in brackets, which each of them splits in its own
// way.
#include <algorithm>
#include <optional>

#include "chain/command_words.h"

namespace vmcred::chain {
namespace {

/// One item of a list, and whether quotes kept it together.
struct Item {
  std::string text;
  bool quoted = false;
};

/// What stands in the brackets behind oem_strings= or oem-strings=.
std::optional<std::string_view> list_in(std::string_view word) {
  for (const std::string_view key : {"oem_strings=[", "oem-strings=["}) {
    const std::size_t at = word.find(key);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = word.substr(at + key.size());
    return rest.substr(0, rest.rfind(']'));
  }
  return {};
}

/// cloud-hypervisor splits at every comma; what quotes there are go astray.
std::vector<Item> split_plainly(std::string_view list) {
  std::vector<Item> items;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t comma = std::min(list.find(',', start), list.size());
    items.push_back({std::string(list.substr(start, comma - start))});
    start = comma + 1;
  }
  return items;
}

/// crosvm (serde_keyvalue): an item may stand in '…', or in "…" with backslashes.
std::vector<Item> split_with_quotes(std::string_view list) {
  std::vector<Item> items(1);
  char quote = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const char c = list[i];
    if (quote == 0 && c == ',') {
      items.emplace_back();
    } else if (quote == 0 && (c == '"' || c == '\'') && items.back().text.empty()) {
      quote = c;
      items.back().quoted = true;
    } else if (c == quote) {
      quote = 0;
    } else {
      if (quote == '"' && c == '\\' && i + 1 < list.size()) ++i;
      items.back().text += list[i];
    }
  }
  return items;
}

/// Joins all strings of the command line in `every`.
void judge_list(Words& words, std::size_t index, const std::vector<Item>& items, std::string_view lost,
                std::vector<OpenString>& every) {
  std::vector<OpenString> strings;
  bool cut = false;
  for (const Item& item : items) {
    strings.push_back({item.text, words.place(index)});
    cut =
        cut || item.text.empty() ||
        (!item.quoted && (item.text.find_first_of(lost) != std::string::npos || !item.text.starts_with("io.systemd.")));
  }
  words.told[index] = true;
  judge_strings(strings, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  judge_amount(strings, words.systemd, words.findings);
  every.insert(every.end(), strings.begin(), strings.end());
  if (!cut) return;
  words.add(Code::split_at_commas, index,
            "the list of OEM strings is split at commas, and an empty item ends all of them",
            "a value must be base64 in the form io.systemd.credential.binary:NAME=BASE64");
}

/// Each value of `options` with the word that holds it, in their order.
std::vector<Given> all_of(const Words& words, std::initializer_list<std::string_view> options) {
  std::vector<Given> all;
  for (const std::string_view option : options) std::ranges::move(values_of(words, option), std::back_inserter(all));
  std::ranges::stable_sort(all, {}, &Given::index);
  return all;
}

void check_kernel_lines(Words& words) {
  for (const Given& given : all_of(words, {"--cmdline", "--params", "-p"})) {
    words.told[given.index] = true;
    judge_kernel_line(given.value, words.place(given.index), Code::secret_on_command_line, words.findings);
  }
}

}  // namespace

void check_cloud_hypervisor(Words& words) {
  std::vector<OpenString> strings;
  for (std::size_t i = 1; i < words.all.size(); ++i)
    if (const auto list = list_in(words.all[i])) judge_list(words, i, split_plainly(*list), "\"[] ", strings);
  check_kernel_lines(words);
  judge_arrival(strings, {}, words.findings);
}

void check_crosvm(Words& words) {
  std::vector<OpenString> strings;
  std::vector<OpenString> items;
  for (std::size_t i = 1; i < words.all.size(); ++i)
    if (const auto list = list_in(words.all[i])) judge_list(words, i, split_with_quotes(*list), "[]", strings);
  for (const Given& given : all_of(words, {"--oem-strings"}))
    judge_list(words, given.index, {{.text = std::string(given.value), .quoted = true}}, "", strings);
  for (const Given& given : all_of(words, {"--fw-cfg"})) check_fw_cfg(words, given.index, given.value, items);
  check_kernel_lines(words);
  judge_strings(items, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  judge_arrival(strings, items, words.findings);
}

}  // namespace vmcred::chain
