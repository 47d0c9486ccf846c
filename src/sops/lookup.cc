#include "sops/lookup.h"

#include <algorithm>

#include "age/plugin.h"
#include "age/ssh_key.h"
#include "base/file.h"
#include "base/process.h"

namespace vmcred::sops {
namespace {

constexpr std::size_t kMaxKeyFile = 1024 * 1024;  // age allows 16 MiB; nobody has one

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

/// sops takes several keys in one line of SOPS_AGE_KEY: every blank outside a comment may end a key.
Secret one_key_a_line(std::string_view text) {
  Secret lines = Secret::copy_of(text);
  bool comment = false;
  for (std::uint8_t& c : lines.writable()) {
    if (c == '#') comment = true;
    if (c == '\n') comment = false;
    if (!comment && (c == ' ' || c == '\t')) c = '\n';
  }
  return lines;
}

Result<Secret> output_of(const std::string& command_line, const Environment& environment) {
  TRY_LET(const std::vector<std::string> argv, split_command(command_line));
  if (argv.empty()) return fail(Errc::invalid_data, "the command is empty");
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(fmt::format("{}={}", name, value));
  TRY_LET(auto output, run_for_secret({.argv = argv, .environment = std::move(variables)}, kMaxKeyFile));
  if (!output.first.ok()) {
    return fail(Errc::unavailable, "the key command '{}' ended with {}", argv.front(), output.first.text());
  }
  return std::move(output.second);
}

/// Collects what each place gives.
class Collector {
 public:
  explicit Collector(const age::Plugins& plugins) : plugins_(plugins) {}

  /// `named`: somebody said that keys are there.
  void add(const std::string& name, Result<Secret> text, bool named) {
    auto identities = text ? in(name, age::parse_identities(text->text(), plugins_))
                           : in(name, Result<age::Identities>(std::unexpected(text.error())));
    if (identities) {
      lookup.sources.push_back({.name = name,
                                .identities = *std::move(identities),
                                .ssh = age::is_ssh_private_key(text->text()),
                                .noted = recipients_in_comments(text->text())});
      return;
    }
    lookup.problems.push_back(identities.error());
    if (named) lookup.wrong.push_back(identities.error());
  }
  /// A file that somebody named: missing is a problem.
  void add_file(const std::string& variable, const std::string& path) {
    if (!path.empty()) add(fmt::format("'{}' ({})", path, variable), read_secret(path, kMaxKeyFile), true);
  }
  /// A usual place: missing is no problem.
  void add_usual(const std::string& path) {
    if (exists(path)) add(fmt::format("'{}'", path), read_secret(path, kMaxKeyFile), false);
  }

  Lookup lookup = {};

 private:
  const age::Plugins& plugins_;
};

}  // namespace

age::Identities Lookup::identities() const {
  age::Identities all;
  for (const Source& source : sources) std::ranges::copy(source.identities, std::back_inserter(all));
  return all;
}

std::vector<std::string> recipients_in_comments(std::string_view text) {
  std::vector<std::string> found;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with('#')) continue;
    const std::size_t begin = line.find("age1");
    if (begin == std::string_view::npos) continue;
    line = line.substr(begin);
    line = line.substr(0, line.find_first_of(" \t\r"));
    if (age::parse_recipient(line)) found.emplace_back(line);
  }
  return found;
}

Lookup find_identities(const Environment& environment) { return find_identities(environment, age::Plugins{}); }

Lookup find_identities(const Environment& environment, const age::Plugins& plugins) {
  Collector found(plugins);
  const std::string home = value_of(environment, "HOME");
  const auto add_command = [&](const std::string& variable) {
    const std::string command = value_of(environment, variable);
    if (!command.empty()) found.add(variable, output_of(command, environment), true);
  };
  found.add_file("SOPS_AGE_SSH_PRIVATE_KEY_FILE", value_of(environment, "SOPS_AGE_SSH_PRIVATE_KEY_FILE"));
  add_command("SOPS_AGE_SSH_PRIVATE_KEY_CMD");
  if (!home.empty()) {
    found.add_usual(home + "/.ssh/id_ed25519");
    found.add_usual(home + "/.ssh/id_rsa");
  }
  if (const std::string text = value_of(environment, "SOPS_AGE_KEY"); !text.empty()) {
    found.add("SOPS_AGE_KEY", one_key_a_line(text), true);
  }
  found.add_file("SOPS_AGE_KEY_FILE", value_of(environment, "SOPS_AGE_KEY_FILE"));
  add_command("SOPS_AGE_KEY_CMD");
  std::string folder = value_of(environment, "XDG_CONFIG_HOME");
  if (folder.empty() && !home.empty()) folder = home + "/.config";
  if (!folder.empty()) found.add_usual(folder + "/sops/age/keys.txt");
  return std::move(found.lookup);
}

Result<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  const auto put = [&](char c) {
    if (!in_word) words.emplace_back();
    in_word = true;
    words.back() += c;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool escapes = c == '\\' && quote != '\'';
    if (escapes && i + 1 == text.size()) return fail(Errc::invalid_data, "the command ends in a backslash");
    if (escapes && (quote == 0 || text[i + 1] == '"' || text[i + 1] == '\\')) {
      put(text[++i]);
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      if (!in_word) words.emplace_back();  // "" is a word too
      in_word = true;
    } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
    } else {
      put(c);
    }
  }
  if (quote != 0) return fail(Errc::invalid_data, "the command has a quotation that does not end");
  return words;
}

}  // namespace vmcred::sops
