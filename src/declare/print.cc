// The model as JSON in the shape of vmcred.json, every default filled in.
#include <algorithm>

#include "declare/load.h"
#include "declare/values.h"
#include "declare/words.h"

namespace vmcred::declare {
namespace {

Json text(std::string_view value) { return std::string(value); }

Json file_json(const File& file) {
  Json json = Json::object();
  json.set("secret", file.secret);
  json.set("deploy", file.deploy);
  json.set("owner", file.owner);
  json.set("group", file.group);
  json.set("mode", format_mode(file.mode));
  json.set("allow-empty", file.allow_empty);
  json.set("needed-for", file.needed_for);
  json.set("restart-units", Json::strings(file.restart_units));
  return json;
}

Json prompt_json(const Prompt& prompt) {
  Json display = Json::object();
  display.set("group", prompt.display_group);
  display.set("label", prompt.display_label);
  display.set("help", prompt.display_help);
  Json json = Json::object();
  json.set("description", prompt.description);
  json.set("type", text(word(prompt.type)));
  json.set("persist", prompt.persist);
  json.set("display", std::move(display));
  return json;
}

Json generator_json(const Generator& generator) {
  Json json = Json::object();
  if (generator.sharing == Sharing::per_vm) {
    json.set("vms", Json::strings(generator.vms));
  } else {
    json.set("share", generator.sharing == Sharing::shared);
    if (!generator.machines.empty()) json.set("machines", Json::strings(generator.machines));
  }
  json.set("runtime-inputs", Json::strings(generator.runtime_inputs));
  json.set("script", generator.script);
  json.set("dependencies", Json::strings(generator.dependencies));
  Json files = Json::object();
  for (const auto& [name, file] : generator.files) files.set(name, file_json(file));
  json.set("files", std::move(files));
  Json prompts = Json::object();
  for (const auto& [name, prompt] : generator.prompts) prompts.set(name, prompt_json(prompt));
  json.set("prompts", std::move(prompts));
  if (generator.validation_json) {
    if (auto validation = parse_json(*generator.validation_json)) json.set("validation", *std::move(validation));
  }
  json.set("on-stale", text(word(generator.on_stale)));
  if (generator.rotate_after) json.set("rotate-after", format_days(*generator.rotate_after));
  json.set("foreign", generator.foreign);
  return json;
}

Json credential_json(const Credential& credential) {
  Json json = Json::object();
  if (const auto* ref = std::get_if<VarRef>(&credential.from)) json.set("from", ref->generator + "/" + ref->file);
  if (const auto* path = std::get_if<std::string>(&credential.from)) json.set("from", *path);
  if (credential.static_value) json.set("value", *credential.static_value);
  if (credential.is_public) json.set("public", true);
  json.set("guest", credential.guest);
  json.set("allow-empty", credential.allow_empty);
  json.set("services", Json::strings(credential.services));
  json.set("on-change", credential.on_change == OnChange::signal ? Json("signal:" + credential.on_change_signal)
                                                                 : text(word(credential.on_change)));
  return json;
}

/// Whether a credential stands in the guide's lists, which are printed as they were written.
bool in_lists(const Vm& vm, const Credential& credential) {
  const LongForm& lists = vm.long_form;
  if (!credential.static_value)
    return std::ranges::find(lists.credential_files, credential.host) != lists.credential_files.end();
  const std::string end = ":" + credential.guest + "=";
  return std::ranges::any_of(lists.oem_strings, [&](const std::string& entry) {
    return entry.starts_with("io.systemd.credential" + end) || entry.starts_with("io.systemd.credential.binary" + end);
  });
}

void set_credentials(const Vm& vm, Json& json) {
  Json credentials = Json::object();
  for (const Credential& credential : vm.credentials)
    if (!in_lists(vm, credential)) credentials.set(credential.name, credential_json(credential));
  json.set("credentials", std::move(credentials));
  if (!vm.long_form.used) return;
  std::vector<std::string> loaded;
  for (const auto& [name, source] : vm.long_form.load_credential) loaded.push_back(name + ":" + source);
  json.set("load-credential", Json::strings(loaded));
  json.set("credential-files", Json::strings(vm.long_form.credential_files));
  json.set("oem-strings", Json::strings(vm.long_form.oem_strings));
}

Json guest_json(const Vm& vm) {
  Json services = Json::object();
  for (const auto& [name, service] : vm.services) {
    std::vector<std::string> lines;
    for (const auto& [id, source] : service.load_credential) lines.push_back(id + ":" + source);
    Json each =
        Json::object().set("load-credential", Json::strings(lines)).set("health", format_seconds(service.health));
    if (!service.health_command.empty()) each.set("health-command", Json::strings(service.health_command));
    services.set(name, std::move(each));
  }
  Json json = Json::object();
  json.set("systemd", vm.guest.systemd);
  json.set("systemd-in-initrd", vm.guest.systemd_in_initrd);
  json.set("agent", vm.guest.agent);
  json.set("services", std::move(services));
  return json;
}

void set_devices(const Vm& vm, Json& json) {
  Json disks = Json::array();
  for (const Disk& disk : vm.disks)
    disks.push(Json::object().set("path", disk.path).set("read-only", disk.read_only).set("format", disk.format));
  Json networks = Json::array();
  for (const Network& network : vm.networks) {
    Json each = Json::object().set("type", network.type);
    if (!network.tap.empty()) each.set("tap", network.tap);
    if (!network.mac.empty()) each.set("mac", network.mac);
    each.set("forward", Json::strings(network.forward));
    networks.push(std::move(each));
  }
  Json shares = Json::array();
  for (const Share& share : vm.shares) shares.push(Json::object().set("tag", share.tag).set("socket", share.socket));
  json.set("disks", std::move(disks));
  json.set("networks", std::move(networks));
  json.set("shares", std::move(shares));
  if (vm.vsock_cid) json.set("vsock-cid", static_cast<std::int64_t>(*vm.vsock_cid));
}

Json vm_json(const Vm& vm) {
  Json json = Json::object();
  json.set("machine", vm.machine);
  json.set("hypervisor", text(word(vm.hypervisor)));
  Json qemu = Json::object().set("machine", vm.qemu_machine);
  if (!vm.vsock_device.empty()) qemu.set("vsock-device", vm.vsock_device);
  json.set("qemu", std::move(qemu));
  if (!vm.vmm_version.empty()) json.set("vmm", Json::object().set("version", vm.vmm_version));
  json.set("architecture", vm.architecture);
  for (const auto& [key, value] :
       {std::pair("binary", &vm.binary), std::pair("kernel", &vm.kernel), std::pair("initrd", &vm.initrd)})
    if (!value->empty()) json.set(key, *value);
  json.set("command-line", vm.command_line);
  json.set("memory", format_size(vm.memory_bytes));
  json.set("vcpus", static_cast<std::int64_t>(vm.vcpus));
  json.set("accel", text(word(vm.accel)));
  json.set("delivery", text(word(vm.delivery)));
  if (vm.receipt) json.set("receipt", text(word(*vm.receipt)));
  if (vm.receipt_timeout) json.set("receipt-timeout", format_seconds(*vm.receipt_timeout));
  if (vm.start_timeout) json.set("start-timeout", format_seconds(*vm.start_timeout));
  set_devices(vm, json);
  json.set("extra-arguments", Json::strings(vm.extra_arguments));
  json.set("allow-options", Json::strings(vm.allowed_options));
  set_credentials(vm, json);
  json.set("guest", guest_json(vm));
  return json;
}

}  // namespace

Json to_json(const Declaration& declaration) {
  Json machines = Json::object();
  for (const auto& [name, machine] : declaration.machines)
    machines.set(name, Json::object().set("default-groups", Json::strings(machine.default_groups)));
  Json generators = Json::object();
  for (const auto& [name, generator] : declaration.generators) generators.set(name, generator_json(generator));
  Json vms = Json::object();
  for (const auto& [name, vm] : declaration.vms) vms.set(name, vm_json(vm));
  Json json = Json::object();
  json.set("machines", std::move(machines));
  json.set("generators", std::move(generators));
  json.set("vms", std::move(vms));
  json.set("git", Json::object().set("commit", declaration.git.commit));
  return json;
}

}  // namespace vmcred::declare
