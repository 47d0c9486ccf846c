// vmcred check: every broken link of the chain, before anything boots.
#include "chain/check.h"

#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "chain/about.h"
#include "chain/commands.h"
#include "chain/configuration_text.h"
#include "chain/describe.h"
#include "chain/report.h"
#include "chain/unit_files.h"
#include "project/project.h"
#include "store/repository.h"
#include "terminal/answer.h"
#include "vm/running.h"

namespace vmcred::app {
namespace {

constexpr int kMaxRounds = 4;
constexpr std::size_t kMaxForeign = 4UL * 1024 * 1024;  // of a domain

constexpr Parameter kParameters[] = {
    {"--sarif", "print the findings as SARIF 2.1.0, for code scanning"},
    {"--fix", "mend what is mechanical, then check again"},
    {"--declaration", "only what the declaration alone tells: no store, no files of this host (for builds and CI)"},
    {"--fail-on LEVEL", "the least level that changes the exit code: error, or warning (default)"},
    {"--describe CODE", "explain a finding; 'all' lists the codes"},
    {"--unit PATH...", "check these unit files with their drop-ins, or folders of units, instead of the declaration"},
    {"--argv", "check the command line after '--' instead of the declaration"},
    {"--libvirt FILE...", "check these libvirt domains instead of the declaration; - is standard input"},
    {"--config FILE...",
     "check these configurations of Firecracker, cloud-hypervisor, Proxmox, incus, QEMU, mkosi or nspawn instead; - as "
     "above"},
    {"--systemd VERSION", "of the guest, for --unit, --argv, --libvirt and --config (default: 252)"},
};

/// The words of the command line; one word with spaces was quoted as a whole.
std::vector<std::string> command_line(const Given& given) {
  const std::vector<std::string> words = given.all("REST");
  return words.size() == 1 && words[0].contains(' ') ? chain::shell_words(words[0]) : words;
}

Result<int> systemd_version(const Given& given) {
  if (!given.has("systemd")) return 252;
  const std::string text = given.at("systemd");
  if (text.empty() || text.size() > 3 || text.find_first_not_of("0123456789") != std::string::npos)
    return fail(Errc::usage, "--systemd takes a version such as 257, not '{}'", text);
  return std::stoi(text);
}

void append(std::vector<chain::Finding>& all, std::vector<chain::Finding> more) {
  for (chain::Finding& each : more) all.push_back(std::move(each));
}

/// A file, or "-" for standard input.
Result<Secret> foreign_text(const std::string& file) {
  if (file != "-") return read_secret(file, kMaxForeign);
  const Fd own(::dup(STDIN_FILENO));
  if (!own) return fail_errno("read standard input");
  return read_secret(own, "standard input", kMaxForeign);
}
std::string shown_name(const std::string& file) { return file == "-" ? "standard input" : file; }

Result<std::vector<chain::Finding>> foreign_findings(const Given& given) {
  TRY_LET(const int systemd, systemd_version(given));
  std::vector<chain::Finding> all;
  std::vector<chain::UnitText> units;
  for (const std::string& file : given.all("unit")) {
    TRY_LET(auto read, chain::read_units(file));
    for (chain::UnitText& each : read)
      if (std::ranges::find(units, each.file, &chain::UnitText::file) == units.end()) units.push_back(std::move(each));
  }
  append(all, chain::check_units(units, systemd));
  for (const std::string& file : given.all("libvirt")) {
    TRY_LET(const Secret text, in("read the domain", foreign_text(file)));
    TRY_LET(auto found, chain::check_domain(text.text(), shown_name(file), systemd));
    append(all, std::move(found));
  }
  for (const std::string& file : given.all("config")) {
    TRY_LET(const Secret text, in("read the configuration", foreign_text(file)));
    TRY_LET(auto found, chain::check_configuration(text.text(), shown_name(file), systemd));
    append(all, std::move(found));
  }
  append(all, chain::check_command_line(command_line(given), "command line", systemd, {}, chain::NamedFiles::read));
  return all;
}

Result<std::vector<chain::Finding>> project_findings(const Given& given, const World& world) {
  TRY_LET(const declare::Reading reading, load_project_leniently(world));
  if (given.has("declaration")) return chain::check_declared(reading);
  TRY_LET(std::vector<chain::Finding> findings, chain::check_project(reading, world.project, *world.clock));
  // What runs on this host is a link of the chain too: a guest may hold older values than the store, or not load them.
  const auto trouble = [&](const std::string& vm, const Error& error) {
    findings.push_back(
        chain::finding(chain::Code::not_looked_at, {.file = fmt::format("vm '{}'", vm)}, error.message, error.hint));
  };
  auto running = chain::doctor::examine_vms(look_at_running(reading.declaration, world, trouble));
  std::erase_if(running,
                [](const chain::Finding& each) { return each.code == chain::Code::unit_failed; });  // that is doctor's
  append(findings, std::move(running));
  const std::string path = world.env("PATH").empty() ? std::string(kSystemPath) : world.env("PATH");
  if (can_compare() && reading.problems.empty())
    append(findings, chain::check_host(reading.declaration, "/run/vmcred/vars", path));
  return findings;
}

Result<Exit> run(const Given& given, World& world) {
  if (given.has("sarif") && world.json) return fail(Errc::usage, "only one of --json and --sarif");
  if (given.has("describe")) return describe(world, given.at("describe"));
  const std::string fail_on = given.has("fail-on") ? given.at("fail-on") : "warning";
  if (fail_on != "error" && fail_on != "warning")
    return hint(fail(Errc::usage, "--fail-on takes no level '{}'", fail_on), "one of error, warning");
  const bool errors_only = fail_on == "error";
  const bool argv = given.has("argv") || given.has("REST");
  if (argv && command_line(given).empty())
    return hint(fail(Errc::usage, "--argv needs a command line"), "vmcred check --argv -- qemu-system-x86_64 …");
  if (argv && !chain::reads_command_line(command_line(given))) {
    return hint(
        fail(Errc::usage, "'{}' is no hypervisor whose command line vmcred can check", command_line(given).front()),
        "the command must be that of QEMU, cloud-hypervisor, crosvm, Firecracker, kvmtool, vmspawn, nspawn, mkosi or "
        "virt-install");
  }
  const bool foreign = argv || given.has("unit") || given.has("libvirt") || given.has("config");
  if (foreign && given.has("fix")) return fail(Errc::usage, "--fix mends declarations alone");
  if (foreign && given.has("declaration"))
    return fail(Errc::usage,
                "--declaration checks the declaration, and --unit, --argv, --libvirt and --config what others wrote");
  TRY_LET(std::vector<chain::Finding> findings, foreign ? foreign_findings(given) : project_findings(given, world));
  if (given.has("fix")) {
    std::size_t mended = 0;
    for (int round = 0; round < kMaxRounds; ++round) {  // what is mended may have hidden what else is wrong
      TRY_LET(const std::size_t now, chain::apply_edits(findings));
      if (now == 0) break;
      mended += now;
      TRY_LET(findings, project_findings(given, world));
    }
    answer_with(world, "mended", mended);
    note(world, fmt::format("mended {} {}", mended, mended == 1 ? "finding" : "findings"));
  }
  chain::sort_findings(findings);
  if (given.has("sarif")) {
    print(world, dump_json(chain::findings_sarif(findings, VMCRED_VERSION), Indent::two_spaces));
  } else if (world.json) {
    answer_with(world, chain::findings_json(findings));
  } else {
    print(world, chain::findings_text(findings, world.color_out));
  }
  if (errors_only)
    std::erase_if(findings, [](const chain::Finding& each) { return each.level != chain::Level::error; });
  return chain::any_findings(findings) ? Exit::findings : Exit::done;
}

}  // namespace

constinit const Command kCheck = {
    "check",
    "find every broken link of the chain before anything boots",
    "Reads the declaration and the store, decrypts nothing and starts nothing. Names that do not match, values\n"
    "that were never generated, modes, collisions, budgets of the declared guest and hypervisor, recipients that\n"
    "drifted, plain text where none may be: each with its place, cause and remedy. --fix mends what is mechanical.\n"
    "On the host itself also guests that run with older values than the store has, or whose services did not load\n"
    "theirs. --declaration leaves out what needs the store or this host, and so finds the same on every machine.\n\n"
    "--unit, --argv, --libvirt and --config check what others wrote, with no declaration at all.\n\n"
    "Exit code 3 when there is any error or warning, with '--fail-on error' when there is any error; notes change\n"
    "nothing.",
    kParameters,
    run,
    Rest::optional,
};

}  // namespace vmcred::app
