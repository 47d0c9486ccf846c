#include "vmm/firecracker/adopt.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/spelling.h"
#include "vmm/firecracker/log_level.h"
#include "vmm/firecracker/options.h"
#include "vmm/firecracker/requests.h"
#include "vmm/foreign.h"

namespace vmcred::vmm::firecracker {
namespace {

/// A section of the configuration file (Firecracker v1.16, VmmConfig) and the request that says the same.
struct Section {
  std::string_view name;
  std::string_view path;
  std::string_view id = {};  ///< a list: the member that ends the path
};
constexpr std::array kSections = std::to_array<Section>({
    {"machine-config", "/machine-config"},
    {"drives", "/drives/", "drive_id"},
    {"network-interfaces", "/network-interfaces/", "iface_id"},
    {"vsock", "/vsock"},
    {"balloon", "/balloon"},
    {"entropy", "/entropy"},
    {"logger", "/logger"},
    {"metrics", "/metrics"},
    {"mmds-config", "/mmds/config"},
});
constexpr std::string_view kBootSource = "boot-source";

/// The value of `--name VALUE` or `--name=VALUE`, and where it stands.
struct Found {
  std::size_t first;  ///< the word of the option
  std::size_t words;  ///< 1 or 2
  std::string value;
};
std::optional<Found> find_option(const std::vector<std::string>& argv, std::string_view name) {
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if (argv[i] == name && i + 1 < argv.size()) return Found{i, 2, argv[i + 1]};
    if (argv[i].starts_with(name) && argv[i].size() > name.size() && argv[i][name.size()] == '=') {
      return Found{i, 1, argv[i].substr(name.size() + 1)};
    }
  }
  return std::nullopt;
}

void drop(std::vector<std::string>& argv, std::string_view name) {
  const auto found = find_option(argv, name);
  if (!found) return;
  const auto first = argv.begin() + static_cast<std::ptrdiff_t>(found->first);
  argv.erase(first, first + static_cast<std::ptrdiff_t>(found->words));
}

Result<Json> config_of(const Foreign& foreign) {
  if (config_file(foreign).empty()) {
    return hint(fail(Errc::usage, "Firecracker's command line has no '--config-file', so vmcred cannot know the vm"),
                "put the vm into a configuration file, or declare it in vmcred.toml");
  }
  TRY_LET(Json config, in(fmt::format("read '{}'", config_file(foreign)), parse_json(foreign.config)));
  if (config.if_object() == nullptr || config.find(kBootSource) == nullptr) {
    return fail(Errc::usage, "'{}' has no '{}'", config_file(foreign), kBootSource);
  }
  return config;
}

Result<> add_section(Launch& launch, const std::string& name, const Json& value) {
  const auto section = std::ranges::find(kSections, std::string_view(name), &Section::name);
  if (section == kSections.end()) {
    std::vector<std::string> known;
    for (const Section& other : kSections) known.emplace_back(other.name);
    return hint(fail(Errc::usage, "vmcred cannot translate '{}' of Firecracker's configuration", name),
                did_you_mean(name, known));
  }
  if (section->id.empty()) {
    launch.requests.push_back(
        put(std::string(section->path), name == "logger" ? bounded_logger(value, launch) : value));
    return {};
  }
  if (value.if_array() == nullptr) return fail(Errc::usage, "'{}' of Firecracker's configuration is no list", name);
  for (const Json& one : *value.if_array()) {
    const std::string id = one.string_at(section->id);
    if (id.empty() || id.contains('/')) return fail(Errc::usage, "'{}' has an entry without '{}'", name, section->id);
    launch.requests.push_back(put(std::string(section->path) + id, one));
  }
  return {};
}

/// The guest's vsock port of the link leads to a socket beside the one that the vm has, or to one of ours.
void add_link(Launch& launch, const Context& context) {
  constexpr int kFirstGuestCid = 3;
  launch.link = LinkKind::vsock;
  if (!launch.link_path.empty()) return;
  launch.link_path = context.runtime_folder + "/vsock.sock";
  launch.requests.push_back(
      put("/vsock", Json::object().set("guest_cid", kFirstGuestCid).set("uds_path", launch.link_path)));
}

}  // namespace

bool recognises(const Foreign& foreign) { return program_name(foreign) == "firecracker"; }

std::string config_file(const Foreign& foreign) {
  const auto found = find_option(foreign.argv, "--config-file");
  return found ? found->value : "";
}

Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm) {
  TRY_LET(const Json config, config_of(foreign));
  vm.hypervisor = declare::Hypervisor::firecracker;
  vm.kernel = config.find(kBootSource)->string_at("kernel_image_path");
  vm.initrd = config.find(kBootSource)->string_at("initrd_path");
  TRY(check_kernel_line(config.find(kBootSource)->string_at("boot_args")));
  const Json* const machine = config.find("machine-config");
  const Json* const size = machine != nullptr ? machine->find("mem_size_mib") : nullptr;
  if (size != nullptr && size->if_integer() != nullptr && *size->if_integer() > 0 && *size->if_integer() < (1 << 24)) {
    vm.memory_bytes = static_cast<std::uint64_t>(*size->if_integer()) << 20U;
  }
  TRY(check_options(std::span(foreign.argv).subspan(1), AllowedOptions(vm.allowed_options), Origin::command_line));
  return vm;
}

Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context) {
  TRY_LET(const Json config, config_of(foreign));
  TRY(credential::check_deliverable(plan));
  Launch launch = {.control = Control::rest_socket, .control_path = context.runtime_folder + "/firecracker.sock"};
  make_room_for_fds(launch, foreign.argv);
  std::vector<std::string> argv = foreign.argv;
  const auto api = find_option(argv, "--api-sock");
  drop(argv, "--api-sock");
  drop(argv, "--config-file");
  std::erase(argv, "--no-api");
  bound_log_level(argv, launch);
  argv.insert(argv.begin() + 1, {"--api-sock", launch.control_path});
  launch.argv = std::move(argv);
  if (api) add_guard(launch, api->value, context);

  for (const auto& [name, value] : *config.if_object()) {
    if (name != kBootSource && !value.is_null()) TRY(add_section(launch, name, value));
  }
  Json source = *config.find(kBootSource);
  const std::string line = source.string_at("boot_args");
  std::erase_if(*source.if_object(), [](const Json::Member& member) { return member.first == "boot_args"; });
  if (!plan.initrd.empty()) {
    launch.blobs.push_back(InitrdBlob{.base = source.string_at("initrd_path"), .entries = plan.initrd});
    source.set("initrd_path", fmt::format("/proc/self/fd/{}", launch.first_blob_fd));
  }
  launch.requests.push_back(put_boot_source(std::move(source), line, plan));
  // Also without a link: what a killed VMM leaves there has to go.
  if (const Json* const vsock = config.find("vsock"); vsock != nullptr) launch.link_path = vsock->string_at("uds_path");
  if (context.with_link) add_link(launch, context);
  add_start_and_stop(launch, vm);
  return launch;
}

}  // namespace vmcred::vmm::firecracker
