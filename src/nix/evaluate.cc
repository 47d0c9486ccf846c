#include "nix/evaluate.h"

#include <sys/utsname.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "nix/cache.h"
#include "nix/flake.h"
#include "nix/generators.h"
#include "nix/messages.h"
#include "nix/no_network.h"
#include "nix/sources.h"
#include "nix/text.h"

namespace vmcred::nix {
namespace {

constexpr std::chrono::seconds kLimit{60};
constexpr std::chrono::seconds kNixosLimit{600};
constexpr std::size_t kMaxOutput = 16UL * 1024 * 1024;

std::string nix_string(std::string_view text) {
  std::string nix = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '$') nix += '\\';
    nix += c;
  }
  return nix + '"';
}

/// Vms may not evaluate before the values are there that they load.
enum class What : std::uint8_t { all, generators };

std::string_view nix_bool(bool value) { return value ? "true" : "false"; }

/// "x86_64-linux"
std::string system_name() {
  struct utsname host = {};
  return ::uname(&host) == 0 ? std::string(host.machine) + "-linux" : "x86_64-linux";
}

/// "{ lib = (…); modules = (…); }"
std::string set_of(std::initializer_list<std::pair<std::string_view, std::string_view>> parts) {
  std::string set = "{ ";
  for (const auto& [name, text] : parts) set.append(name).append(" = (").append(text).append("); ");
  return set + "}";
}

std::string lib_text() { return fmt::format("({}) {{ types = ({}); }}", kLib, kTypes); }

std::string stand_alone(const std::string& file, const Settings& settings, const Sources& sources, What what) {
  std::string words;
  for (const std::string& word : sources.identifiers) words += nix_string(word) + ' ';
  const std::string parts = set_of({{"lib", lib_text()},
                                    {"options", kOptions},
                                    {"modules", kModules},
                                    {"schema", kSchema},
                                    {"places", kPlaces},
                                    {"guests", kGuests},
                                    {"packages", kPackages},
                                    {"hardware", kHardware},
                                    {"guest_of", kGuestOf},
                                    {"declaration", kDeclaration},
                                    {"only_generators", nix_bool(what == What::generators)}});
  return fmt::format(
      "({}) {}\n{{ file = {}; folder = {}; machine = {}; only_machine = {}; system = {}; identifiers = [ {}]; }}\n",
      kMain, parts, nix_string(file),
      nix_string(settings.folder.empty() ? file.substr(0, file.rfind('/')) : settings.folder),
      nix_string(settings.machine), nix_string(settings.only_machine), nix_string(system_name()), words);
}

std::string with_nixpkgs(const std::string& file, const Settings& settings, What what) {
  // Packages are not looked at: nothing is built.
  const std::string packages = "pkgs: { vmcred = pkgs.vmcred; vmcred-guest = pkgs.vmcred-guest; }";
  const std::string guest_module = fmt::format("({}) {{ packages = {}; }}", kGuestModule, packages);
  const std::string guest = fmt::format(
      "({}) {}", kGuestCredentials,
      set_of({{"guest_module", guest_module}, {"wrapper", kWrapper}, {"own_user", kOwnUser}, {"names", kNames}}));
  const std::string parts = set_of({{"declaration", kDeclaration},
                                    {"checks", kChecks},
                                    {"guest_of", kGuestOf},
                                    {"guest", guest},
                                    {"hardware", kHardware},
                                    {"unit", kUnit},
                                    {"own_user", kOwnUser},
                                    {"vm_options", kVmOptions},
                                    {"names", kNames},
                                    {"packages", packages}});
  return fmt::format(
      "({}) {{ only_generators = {}; modules = [ (({}) {}) ({}) ({}) ]; }}\n{{ file = {}; machine = {}; nixpkgs = {}; "
      "system = {}; }}\n",
      kNixpkgs, nix_bool(what == What::generators), kHostModule, parts, kClanOptions, kMicrovmOptions, nix_string(file),
      nix_string(settings.machine), nix_string(settings.nixpkgs), nix_string(system_name()));
}

/// What the outcome depends on besides the files.
Digest key_of(const std::string& expression, const Sources& sources) {
  std::string all(text_of(Bytes(sources.digest)));
  return sha256(bytes_of(all.append(expression)));
}

Failure not_installed(std::string_view program, const std::string& file) {
  return hint(
      fail(Errc::unavailable, "'{}' needs nix to be evaluated, and there is no {} on this machine", file, program),
      "install it: 'apt-get install nix-bin' on Debian and Ubuntu, or see https://nixos.org/download");
}

enum class Network : std::uint8_t { none, of_inputs };

Result<Output> run_nix(Network network, std::vector<std::string> argv, std::string_view expression,
                       const Settings& settings, std::chrono::seconds limit, const std::string& file) {
  const auto program = find_program(argv.front(), settings.search_path);
  if (!program) return not_installed(argv.front(), file);
  argv.front() = *program;
  if (network == Network::none) argv.insert(argv.begin() + 1, {"--option", "download-attempts", "1"});
  const Command command{.argv = std::move(argv), .environment = settings.environment};
  const RunOptions options{.input = expression, .max_output = kMaxOutput, .limit = limit};
  return in(fmt::format("evaluate '{}'", file),
            network == Network::none ? run_without_network(command, options) : run(command, options));
}

Result<Json> answer_of(const Output& output, const std::vector<std::string>& known) {
  if (output.status.signal != 0 && output.err.find("error:") == std::string::npos) {
    return fail(Errc::invalid_data, "nix ended with {}", output.status.text());
  }
  if (!output.status.ok()) return std::unexpected(error_of(output.err, known));
  return in("read what nix printed", parse_json(output.out, {.max_bytes = kMaxOutput}));
}

Result<Evaluation> evaluation_of(const Json& answer) {
  const Json* declaration = answer.find("declaration");
  const Json* places = answer.find("places");
  if (declaration == nullptr) return fail(Errc::invalid_data, "nix printed no declaration");
  const Json* guests = answer.find("guests");
  return Evaluation{.declaration = *declaration,
                    .places = places == nullptr ? Json::array() : *places,
                    .guests = guests == nullptr ? Json::object() : *guests};
}

/// Nothing but the scanned files and the values of the store decided the outcome.
bool only_known(const Reads& reads, const Sources& sources) {
  return std::ranges::all_of(
      reads.evaluated, [&](const std::string& path) { return std::ranges::binary_search(sources.nix_files, path); });
}

std::optional<Evaluation> kept_evaluation(const Settings& settings, const Digest& key) {
  auto kept = find_kept(settings.cache_folder, key);
  if (!kept) return {};
  return Evaluation{.declaration = std::move(kept->declaration),
                    .places = std::move(kept->places),
                    .guests = std::move(kept->guests),
                    .cached = true,
                    .keepable = true};
}

Result<Evaluation> evaluate_file(const std::string& file, const Settings& settings, What what) {
  TRY_LET(const Sources sources, scan_sources(file));
  const bool alone = settings.nixpkgs.empty();
  const std::string expression =
      alone ? stand_alone(file, settings, sources, what) : with_nixpkgs(file, settings, what);
  const Digest key = key_of(expression, sources);
  // A nixpkgs counts as pinned where it lies in the store, whose paths name their content.
  const bool may_keep = sources.impure.empty() && !settings.cache_folder.empty() &&
                        (alone || settings.nixpkgs.starts_with("/nix/store/"));
  if (may_keep) {
    if (auto kept = kept_evaluation(settings, key)) return *std::move(kept);
  }
  // Nothing is built or copied, so an empty store that is never written serves, whoever we are.
  std::vector<std::string> argv{"nix-instantiate", "--store", "dummy://", "--eval", "--strict", "--json", "-v", "-"};
  const std::chrono::seconds limit = alone ? kLimit : kNixosLimit;
  TRY_LET(Output output, run_nix(Network::none, argv, expression, settings, limit, file));
  if (!output.status.ok() && !has_place(error_of(output.err, {}))) {
    argv.emplace_back("--show-trace");
    TRY_LET(output, run_nix(Network::none, argv, expression, settings, limit, file));
  }
  TRY_LET(const Json answer, answer_of(output, sources.identifiers));
  TRY_LET(Evaluation evaluation, evaluation_of(answer));
  const Reads reads = reads_of(output.err);
  evaluation.keepable = may_keep && (!alone || only_known(reads, sources));
  if (evaluation.keepable) {
    // Without a cache only time is lost, so a full or read-only disk is no failure.
    (void)keep(settings.cache_folder, key, {evaluation.declaration, evaluation.places, evaluation.guests},
               reads.values);
  }
  return evaluation;
}

Result<Evaluation> evaluate_host(const std::string& reference, const Settings& settings, What what) {
  const std::size_t hash = reference.rfind('#');
  if (hash == std::string::npos || hash + 1 == reference.size()) {
    return hint(fail(Errc::usage, "'{}' names no host of the flake", reference), "write REF#HOST, such as '.#my-host'");
  }
  const std::string host = reference.substr(hash + 1);
  const std::string parts = set_of({{"lib", lib_text()},
                                    {"guest_of", kGuestOf},
                                    {"declaration", kDeclaration},
                                    {"only_generators", nix_bool(what == What::generators)}});
  const std::string apply =
      fmt::format("({}) {} {}", kFlake, parts, nix_string(settings.machine.empty() ? host : settings.machine));
  const auto digest = settings.cache_folder.empty() ? std::nullopt : flake_digest(folder_of_flake(reference));
  const Digest key = digest ? sha256(bytes_of(std::string(text_of(Bytes(*digest))) + host + '\n' + apply)) : Digest{};
  if (digest) {
    if (auto kept = kept_evaluation(settings, key)) return *std::move(kept);
  }
  std::vector<std::string> argv{
      "nix",
      "--extra-experimental-features",
      "nix-command flakes",
      "eval",
      "--json",
      fmt::format("{}#nixosConfigurations.{}.config", reference.substr(0, hash), nix_string(host)),
      "--apply",
      apply};
  if (settings.offline) argv.emplace_back("--offline");
  // A flake is evaluated purely: it reads nothing but itself and its inputs.
  TRY_LET(const Output output, run_nix(Network::of_inputs, std::move(argv), {}, settings,
                                       settings.offline ? kLimit : kNixosLimit, reference));
  TRY_LET(const Json answer, answer_of(output, {}));
  TRY_LET(Evaluation evaluation, evaluation_of(answer));
  evaluation.keepable = digest.has_value();
  if (digest)
    (void)keep(settings.cache_folder, key, {evaluation.declaration, evaluation.places, evaluation.guests}, {});
  return evaluation;
}

}  // namespace

Result<Evaluation> evaluate(const std::string& file, const Settings& settings) {
  return evaluate_file(file, settings, What::all);
}

Result<Evaluation> evaluate_flake(const std::string& reference, const Settings& settings) {
  return evaluate_host(reference, settings, What::all);
}

Result<Evaluation> evaluate_generators(const std::string& file, const Settings& settings) {
  return settings.flake.empty() ? evaluate_file(file, settings, What::generators)
                                : evaluate_host(settings.flake, settings, What::generators);
}

Result<Json> evaluate_value(const std::string& file, const Settings& settings) {
  TRY_LET(const Output output,
          run_nix(Network::none, {"nix-instantiate", "--store", "dummy://", "--eval", "--strict", "--json", file}, {},
                  settings, kLimit, file));
  return answer_of(output, {});
}

}  // namespace vmcred::nix
