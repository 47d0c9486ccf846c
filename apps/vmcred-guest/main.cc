// vmcred-guest: looks at the credentials that arrived in this guest and proves them to the host.
#include <fmt/core.h>

#include <algorithm>
#include <csignal>

#include "base/die.h"
#include "base/secret.h"
#include "base/spelling.h"
#include "commands.h"

namespace vmcred::guest {
namespace {

constexpr Command kCommands[] = {
    {"list", "[--system] [--json=short|pretty|off] [--no-legend]", "list credentials, as systemd-creds does", list},
    {"cat", "[--system] [--transcode=MODE] [--json=MODE] [--newline=MODE] NAME...",
     "print credentials, as systemd-creds does", cat},
    {"show", "[--json]", "say where each credential came from and which services load it", show},
    {"receipt", "[--output UNIT=FILE]... [--wait SECONDS]", "prove to the host which credentials arrived", receipt},
    {"agent", "[--output UNIT=FILE]... [--wait SECONDS]",
     "stay on the link: fetch credentials, take new ones, power off", agent},
    {"import", "[--into DIR]", "without systemd: put what the machine offers where systemd would", import},
    {"doctor", "[--json]", "say what is wrong with the credentials of this guest, and why", doctor},
};

void help() {
  print("vmcred-guest: credentials in this guest\n\n");
  for (const Command& command : kCommands) {
    print(fmt::format("  vmcred-guest {} {}\n      {}\n", command.name, command.usage, command.summary));
  }
}

int complain(const Error& error) {
  note(fmt::format("vmcred-guest: error: {}", error.message));
  if (!error.hint.empty()) note(fmt::format("vmcred-guest: hint: {}", error.hint));
  return error.code == Errc::usage ? 2 : 1;
}

int run(std::span<char*> words) {
  // systemd-creds takes options before its verb too: the first word without a dash comes first.
  const auto verb = std::ranges::find_if(words, [](const char* word) { return word[0] != '-'; });
  if (verb != words.end()) std::rotate(words.begin(), verb, verb + 1);
  const std::string_view word = words.empty() ? "" : words.front();
  if (word == "--help" || word == "-h" || word == "help") return help(), 0;
  if (word == "--version") return print("vmcred-guest " VMCRED_VERSION "\n"), 0;
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (command.name == word) {
      const auto done = command.run(words.subspan(1));
      return done ? *done : complain(done.error());
    }
    names.emplace_back(command.name);
  }
  if (word.empty()) return complain({Errc::usage, "no command was given", "vmcred-guest --help lists them"});
  const std::string nearest = did_you_mean(word, names);
  return complain({Errc::usage, fmt::format("there is no command '{}'", word),
                   nearest.empty() ? "vmcred-guest --help lists them" : nearest});
}

}  // namespace

}  // namespace vmcred::guest

int main(int argc, char** argv) {
  vmcred::forbid_core_dumps();
  vmcred::exit_when_memory_ends();
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): a closed reader is seen at the write
  return vmcred::guest::run(std::span<char*>(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
}
