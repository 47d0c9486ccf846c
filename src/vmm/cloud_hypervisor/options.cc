#include "vmm/cloud_hypervisor/options.h"

#include <algorithm>
#include <span>

#include "vmm/cloud_hypervisor/option_keys.h"
#include "vmm/cloud_hypervisor/option_values.h"
#include "vmm/option_list.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

/// One option with the words up to the next.
struct Option {
  std::string name;
  std::vector<std::string> values;
};

Result<std::vector<Option>> options_of(const std::vector<std::string>& words) {
  std::vector<Option> options;
  for (const std::string& word : words) {
    if (word.starts_with("--")) {
      const std::size_t equals = word.find('=');
      options.push_back({.name = word.substr(0, equals), .values = {}});
      if (equals != std::string::npos) options.back().values.push_back(word.substr(equals + 1));
    } else if (word.starts_with("-v")) {
      return hint(fail(Errc::usage, "'-v' makes cloud-hypervisor log its configuration, credentials among it"),
                  "remove it");
    } else if (options.empty()) {
      return fail(Errc::usage, "cloud-hypervisor's command line begins with something that is no option");
    } else {
      options.back().values.push_back(word);
    }
  }
  return options;
}

Result<std::string> one_value(const Option& option) {
  if (option.values.size() != 1) return fail(Errc::usage, "'{}' takes one value", option.name);
  return option.values.front();
}

/// An option with one list of keys.
Result<> set_object(Json& config, std::string_view member, const Option& option, std::span<const Key> keys) {
  TRY_LET(const std::string text, one_value(option));
  TRY_LET(const Properties properties, split_properties(text));
  TRY_LET(Json object, object_of(option.name, properties, keys));
  config.set(std::string(member), std::move(object));
  return {};
}

/// An option that may be given several times and with several values.
Result<> add_objects(Json& config, std::string_view member, const Option& option, std::span<const Key> keys) {
  Json all = config.find(member) != nullptr ? *config.find(member) : Json::array();
  for (const std::string& text : option.values) {
    TRY_LET(const Properties properties, split_properties(text));
    TRY_LET(Json object, object_of(option.name, properties, keys));
    all.push(std::move(object));
  }
  config.set(std::string(member), std::move(all));
  return {};
}

Result<> add_networks(Translated& into, const Option& option) {
  for (const std::string& text : option.values) {
    TRY_LET(Properties properties, split_properties(text));
    const auto fd = std::ranges::find_if(properties, [](const auto& p) { return p.first == "fd" || p.first == "fds"; });
    std::vector<int> fds;
    if (fd != properties.end()) {
      TRY_LET(fds, fds_of(fd->second));
      properties.erase(fd);
    }
    TRY_LET(Json object, object_of(option.name, properties, kNet));
    if (!fds.empty()) {
      into.fd_networks.push_back({.config = std::move(object), .fds = std::move(fds)});
      continue;
    }
    Json all = into.config.find("net") != nullptr ? *into.config.find("net") : Json::array();
    all.push(std::move(object));
    into.config.set("net", std::move(all));
  }
  return {};
}

Result<> set_platform(Translated& into, const Option& option) {
  TRY_LET(const std::string text, one_value(option));
  TRY_LET(Properties properties, split_properties(text));
  const auto strings = std::ranges::find(properties, "oem_strings", [](const auto& p) { return p.first; });
  if (strings != properties.end()) {
    std::string_view list = strings->second;
    if (list.starts_with('[') && list.ends_with(']')) list = list.substr(1, list.size() - 2);
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(','), list.size());
      into.oem_strings.emplace_back(list.substr(0, end));
      list.remove_prefix(std::min(end + 1, list.size()));
    }
    properties.erase(strings);
  }
  TRY_LET(Json object, object_of(option.name, properties, kPlatform));
  into.config.set("platform", std::move(object));
  return {};
}

Result<> set_api_socket(Translated& into, const Option& option) {
  TRY_LET(std::string text, one_value(option));
  if (text.starts_with("path=")) text.erase(0, 5);
  if (text.starts_with("fd=")) {
    return hint(fail(Errc::usage, "'--api-socket' with a descriptor cannot be guarded"), "give it a path");
  }
  into.api_socket = std::move(text);
  return {};
}

Result<> set_payload(Json& config, std::string_view member, const Option& option) {
  TRY_LET(std::string text, one_value(option));
  Json payload = config.find("payload") != nullptr ? *config.find("payload") : Json::object();
  payload.set(std::string(member), std::move(text));
  config.set("payload", std::move(payload));
  return {};
}

/// The server of a vhost-user device maps all of the guest's memory. File systems are asked to be served (--fs), others
/// by name.
Result<> refuse_servers(const Json& devices, const Option& option, const AllowedOptions& allowed) {
  for (const Json& device : *devices.if_array()) {
    const Json* const server = device.find("vhost_user");
    if (server == nullptr || server->if_bool() == nullptr || !*server->if_bool() ||
        allowed.type(option.name.substr(2), "vhost_user"))
      continue;
    return option_conflict(Origin::command_line, option.name + " vhost_user=on",
                           "its server maps all of the guest's memory", "remove it, or run the vm without its secrets");
  }
  return {};
}

/// The graphics of microvm.nix (a patched cloud-hypervisor).
constexpr Key kGpu[] = {
    {"socket", "socket", Kind::text}, {"id", "id", Kind::text}, {"pci_segment", "pci_segment", Kind::number}};

Result<> translate_one(Translated& into, const Option& option, const AllowedOptions& allowed) {
  const std::string& name = option.name;
  Json& config = into.config;
  if (name == "--kernel" || name == "--initramfs" || name == "--cmdline" || name == "--firmware") {
    return set_payload(config, name.substr(2), option);
  }
  if (name == "--cpus") return set_object(config, "cpus", option, kCpus);
  if (name == "--memory") return set_object(config, "memory", option, kMemory);
  if (name == "--balloon") return set_object(config, "balloon", option, kBalloon);
  if (name == "--vsock") return set_object(config, "vsock", option, kVsock);
  if (name == "--rng") return set_object(config, "rng", option, kRng);
  if (name == "--disk") {
    TRY(add_objects(config, "disks", option, kDisk));
    return refuse_servers(*config.find("disks"), option, allowed);
  }
  if (name == "--gpu" && !option.values.empty() && option.values.front().starts_with("socket="))
    return add_objects(config, "gpu", option, kGpu);
  if (name == "--fs") return add_objects(config, "fs", option, kFs);
  if (name == "--device") return add_objects(config, "devices", option, kDevice);
  if (name == "--net") {
    TRY(add_networks(into, option));
    return config.find("net") == nullptr ? Result<>{} : refuse_servers(*config.find("net"), option, allowed);
  }
  if (name == "--platform") return set_platform(into, option);
  if (name == "--api-socket") return set_api_socket(into, option);
  if (name == "--serial" || name == "--console") {
    TRY_LET(const std::string text, one_value(option));
    TRY_LET(Json json, console_of(name, text));
    config.set(name.substr(2), std::move(json));
    return {};
  }
  if (name == "--watchdog" || name == "--pvpanic" || name == "--landlock") {
    config.set(name == "--landlock" ? "landlock_enable" : name.substr(2), true);
    return {};
  }
  const std::string_view bare = std::string_view(name).substr(2);
  const bool of_process = name == "--seccomp" || name == "--log-file" || name == "--event-monitor";
  if (of_process || allowed.with_value(bare) || allowed.flag(bare)) {
    into.process.push_back(name);
    into.process.insert(into.process.end(), option.values.begin(), option.values.end());
    return {};
  }
  return hint(
      fail(Errc::usage, "vmcred cannot translate '{}' for cloud-hypervisor's API", name),
      fmt::format(
          "declare the vm in vmcred.toml, or leave the option out; if it is for the process and not for the vm, say "
          "'--allow-option {}'",
          bare));
}

/// What the command line has defaults for and the API wants to be told.
void complete(Json& config) {
  Json cpus = config.find("cpus") != nullptr ? *config.find("cpus") : Json::object();
  if (cpus.find("boot_vcpus") == nullptr) cpus.set("boot_vcpus", 1);
  if (cpus.find("max_vcpus") == nullptr) cpus.set("max_vcpus", *cpus.find("boot_vcpus"));
  config.set("cpus", std::move(cpus));
  constexpr std::int64_t kDefaultMemory = 512LL << 20;
  Json memory = config.find("memory") != nullptr ? *config.find("memory") : Json::object();
  if (memory.find("size") == nullptr) memory.set("size", kDefaultMemory);
  if (memory.string_at("hotplug_method") == "virtio-mem") memory.set("hotplug_method", "VirtioMem");
  if (memory.string_at("hotplug_method") == "acpi") memory.set("hotplug_method", "Acpi");
  memory.set("mergeable", false);  // merging pages tells other vms what is in this one's memory
  config.set("memory", std::move(memory));
  if (const Json* fs = config.find("fs")) {
    Json all = *fs;
    for (Json& share : *all.if_array()) {
      if (share.find("num_queues") == nullptr) share.set("num_queues", 1);
      if (share.find("queue_size") == nullptr) share.set("queue_size", 1024);
    }
    config.set("fs", std::move(all));
  }
}

}  // namespace

Result<Translated> translate(const std::vector<std::string>& words, const AllowedOptions& allowed) {
  Translated translated;
  TRY_LET(const std::vector<Option> options, options_of(words));
  for (const Option& option : options) TRY(translate_one(translated, option, allowed));
  complete(translated.config);
  return translated;
}

}  // namespace vmcred::vmm::cloud_hypervisor
