// What may stand in the values of QEMU's options.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "vmm/qemu/option_table.h"
#include "vmm/qemu/option_words.h"
#include "vmm/qemu/properties.h"

namespace vmcred::vmm::qemu {
namespace {

using Properties = std::vector<Property>;

/// What the types that are left out do. A name that ends in '*' stands for all that begin so.
struct Door {
  std::string_view type;
  std::string_view why;
};
constexpr auto kDoors = std::to_array<Door>({
    {"ivshmem*", "it shares memory with other processes of the host"},
    {"vhost-user*", "its server maps all of the guest's memory"},
    {"virtio-blk-vhost-user", "its server maps all of the guest's memory"},
    {"cryptodev-vhost-user", "its server maps all of the guest's memory"},
    {"vfio-user*", "its server maps all of the guest's memory"},
    {"x-vfio-user*", "it gives the vm's devices to another process"},
    {"x-pci-proxy-dev", "its server maps all of the guest's memory"},
    {"x-remote-object", "it gives the vm's devices to another process"},
    {"qtest", "its socket reads the guest's memory"},
    {"pvrdma", "it gives the guest's memory to the network"},
    {"hv-syndbg", "a debugger in the network reads the guest's memory"},
    {"filter-*", "it copies what passes through the vm's network"},
    {"colo-compare", "it copies what passes through the vm's network"},
    {"monitor-*", "a monitor reads the guest's memory"},
    {"nitro*", "it belongs to an enclave, which takes no credentials"},
});

/// What a character device of an option's value may be: "stdio", "file:PATH", "chardev:ID".
constexpr auto kSerials = std::to_array<std::string_view>(
    {"none", "null", "vc", "vc:*", "pty", "stdio", "msmouse", "wctablet", "braille", "file:*", "pipe:*", "tcp:*",
     "udp:*", "telnet:*", "websocket:*", "unix:*", "chardev:*", "con:*", "/dev/*"});

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.ends_with('*')) return text.starts_with(pattern.substr(0, pattern.size() - 1));
  if (pattern.starts_with('*')) return text.ends_with(pattern.substr(1));
  return text == pattern;
}

template <class Patterns>
bool among(const Patterns& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](std::string_view pattern) { return matches(pattern, text); });
}

/// A type as QEMU's help has it: the aliases of virtio devices have no bus ("virtio-balloon").
bool is_known(std::span<const std::string_view> types, std::string_view type) {
  return among(types, type) || among(types, std::string(type) + "-");
}

class Check {
 public:
  Check(const GivenOption& option, const AllowedOptions& allowed, Origin origin)
      : option_(option), allowed_(allowed), origin_(origin) {}

  Result<> run() {
    const std::string_view name = option_.name;
    if (allowed_.with_value(name)) return {};
    if (const TypedOption* typed = typed_option(name)) return types(*typed);
    if (name == "serial" || name == "parallel" || name == "debugcon" || name == "monitor") return serial();
    if (name == "machine" || name == "M") return machine();
    if (name == "mem-path") return is_huge(option_.value) ? Result<>{} : refuse(kMappedFile, kMemfd);
    if (name == "blockdev" || name == "drive") return block();
    if (name == "smbios") return smbios();
    if (name == "action") return action();
    if (name == "icount") return replay();
    return {};
  }

 private:
  static constexpr std::string_view kMappedFile = "whoever opens the file reads the guest's memory";
  static constexpr std::string_view kMemfd =
      "use memory-backend-memfd, or a path below /dev/hugepages or /run/hugepages";

  Failure refuse(std::string_view why, std::string_view remedy) const {
    return conflict(origin_, option_.name, why, remedy);
  }

  Result<Properties> read(std::string_view implied) const {
    Result<Properties> properties = read_properties(option_.value, implied);
    if (!properties) return refuse(properties.error().message, "write it as QEMU's manual shows it");
    return properties;
  }

  Result<> type(std::span<const std::string_view> types, const std::string& word) const {
    if (is_known(types, word) || allowed_.type(option_.name, word)) return {};
    const auto door = std::ranges::find_if(kDoors, [&](const Door& one) { return matches(one.type, word); });
    const std::string shown = fmt::format("{} {}", option_.name, word);
    if (door != kDoors.end())
      return conflict(origin_, shown, door->why, "remove it, or run the vm without its secrets");
    return conflict(
        origin_, shown, "vmcred does not know what it does",
        fmt::format("if it is meant, say so with '--allow-option {}={}' (allow-options in a vm's declaration)",
                    option_.name, word));
  }

  Result<> types(const TypedOption& typed) const {
    TRY_LET(const Properties properties, read(typed.key));
    const std::vector<std::string> words = values_of(properties, typed.key);
    if (words.empty())
      return refuse(fmt::format("it does not say its '{}'", typed.key), "write it as QEMU's manual shows it");
    for (const std::string& word : words) TRY(type(typed.types, word));  // of several the last one counts
    if (option_.name == "object") return object(words, properties);
    if (words.back() == "passt" && says_yes(properties, "vhost-user"))
      return refuse("its server maps all of the guest's memory", "set vhost-user=off");
    return {};
  }

  Result<> object(const std::vector<std::string>& words, const Properties& properties) const {
    if (std::ranges::find(words, "memory-backend-file") == words.end() || !says_yes(properties, "share")) return {};
    const std::vector<std::string> paths = values_of(properties, "mem-path");
    if (!paths.empty() && std::ranges::all_of(paths, is_huge)) return {};
    return refuse(kMappedFile, kMemfd);
  }

  /// Huge pages are files too, in a file system of the administrator's for just this; QEMU takes their names away.
  static bool is_huge(const std::string& path) {
    static constexpr auto kMounts =
        std::to_array<std::string_view>({"/dev/hugepages", "/run/hugepages", "/mnt/huge", "/hugepages", "/hugetlbfs",
                                         "/dev/hugetlbfs", "/var/lib/hugetlbfs"});
    return !path.contains("/../") &&
           std::ranges::any_of(kMounts, [&](std::string_view mount) { return path.starts_with(mount); });
  }

  Result<> serial() const {
    if (among(kSerials, option_.value) || allowed_.type(option_.name, option_.value)) return {};
    if (option_.value.starts_with("mon:"))
      return refuse("a monitor reads the guest's memory",
                    fmt::format("write '-{} {}', without 'mon:'", option_.name, option_.value.substr(4)));
    return refuse(fmt::format("vmcred does not know '{}'", option_.value), "write it as QEMU's manual shows it");
  }

  Result<> machine() const {
    TRY_LET(const Properties properties, read("type"));
    const TypedOption& accelerators = *typed_option("accel");
    for (const std::string& list : values_of(properties, "accel")) {
      for (std::size_t at = 0; at <= list.size();) {
        const std::size_t end = std::min(list.find(':', at), list.size());
        const std::string one = list.substr(at, end - at);
        if (!is_known(accelerators.types, one) && !allowed_.type("accel", one))
          return refuse(fmt::format("vmcred does not know the accelerator '{}'", one), "use kvm or tcg");
        at = end + 1;
      }
    }
    return {};
  }

  Result<> block() const {
    if (!option_.value.contains("vhost-user")) return {};
    return refuse("the server of a vhost-user disk maps all of the guest's memory", "use a file, a device or nbd");
  }

  /// The number as QEMU reads it: of any base, and the last of several.
  Result<> smbios() const {
    TRY_LET(const Properties properties, read("type"));
    for (const std::string& text : values_of(properties, "type")) {
      char* end = nullptr;
      const unsigned long number = std::strtoul(text.c_str(), &end, 0);
      constexpr unsigned long kOemStrings = 11;
      if (text.empty() || *end != '\0')
        return refuse(fmt::format("its type '{}' is no number", text), "write a number from 0 to 255");
      if (number == kOemStrings)
        return refuse(
            "its OEM strings stand on the command line, where everybody reads them, and QEMU takes them from one place "
            "only",
            "declare its strings as credentials or oem-strings of the vm");
    }
    if (values_of(properties, "file").empty()) return {};
    return refuse("QEMU takes OEM strings from one place only, and vmcred brings its own",
                  "declare its strings as credentials or oem-strings of the vm");
  }

  Result<> action() const {
    TRY_LET(const Properties properties, read(""));
    for (const auto& [key, value] : properties) {
      if (key == "shutdown" && value != "poweroff")
        return refuse("a guest that has powered off must end QEMU", "use shutdown=poweroff, or remove it");
      if (key == "reboot" && value != "shutdown")
        return refuse("a guest that boots again would find its values spent", "use reboot=shutdown, or remove it");
    }
    return {};
  }

  Result<> replay() const {
    TRY_LET(const Properties properties, read("shift"));
    if (values_of(properties, "rr").empty()) return {};
    return refuse("a recording holds what the guest reads", "remove 'rr' and 'rrfile'");
  }

  const GivenOption& option_;
  const AllowedOptions& allowed_;
  Origin origin_;
};

}  // namespace

Result<> check_value(const GivenOption& option, const AllowedOptions& allowed, Origin origin) {
  return Check(option, allowed, origin).run();
}

}  // namespace vmcred::vmm::qemu
