#include "vmm/qemu/option_table.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "matchers.h"
#include "vmm/qemu/option_words.h"

namespace vmcred::vmm::qemu {
namespace {

using testing::Succeeds;

/// What real programs say: tests/vectors/qemu/NAME, made by tools/qemu-facts. Lines "option NAME value|flag" and
/// "device NAME", "object NAME" and the like.
std::vector<std::pair<std::string, std::string>> facts(const std::string& file, std::string_view kind) {
  const std::string text = read_file(testing::source_folder() + "/tests/vectors/qemu/" + file, 1024 * 1024).value();
  std::vector<std::pair<std::string, std::string>> all;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view line = take_until(rest, '\n');
    if (take_until(line, ' ') != kind) continue;
    const std::string name(take_until(line, ' '));
    all.emplace_back(name, line);
  }
  return all;
}

const std::vector<std::string> kPrograms = {"debian-12", "debian-13", "debian-sid"};

TEST(QemuOptionTable, KnowsOfEveryOptionOfRealProgramsWhetherItTakesAValue) {
  for (const std::string& program : kPrograms) {
    const auto options = facts(program, "option");
    EXPECT_GT(options.size(), 80U) << program;
    for (const auto& [name, takes] : options) {
      const auto known = std::ranges::find(known_options(), std::string_view(name), &KnownOption::name);
      if (known == known_options().end()) continue;
      EXPECT_EQ(known->takes == Takes::value ? "value" : "flag", takes) << program << ": -" << name;
    }
  }
}

/// Those of real programs that are neither known nor refused with a reason: each is refused as unknown, on purpose.
TEST(QemuOptionTable, LeavesOutNothingByAccident) {
  const std::set<std::string> left_out = {
      "S",          "no-shutdown",        "daemonize",   "dump-vmstate",       "xen-attach",
      "xen-domid",  "xen-domid-restrict", "semihosting", "semihosting-config", "writeconfig",
      "audio-help", "accel-help"};
  for (const std::string& program : kPrograms) {
    for (const auto& [name, takes] : facts(program, "option")) {
      const bool known =
          std::ranges::find(known_options(), std::string_view(name), &KnownOption::name) != known_options().end();
      const bool refused =
          std::ranges::find(refused_options(), std::string_view(name), &RefusedOption::name) != refused_options().end();
      EXPECT_TRUE(known || refused || left_out.contains(name)) << program << ": -" << name;
    }
  }
}

TEST(QemuOptionTable, KnowsTheTypesOfRealProgramsButForTheDoors) {
  const auto door = [](std::string_view name) {
    for (const std::string_view begin :
         {"ivshmem",  "vhost-user", "cryptodev-vhost-user", "x-",         "pvrdma",      "hv-syndbg",
          "filter-",  "qtest",      "colo-compare",         "testdev",    "vfio-user",   "xen",
          "edu",      "i2c-echo",   "hyperv-testdev",       "pc-testdev", "pci-testdev", "iommu-testdev",
          "monitor-", "nitro"})
      if (name.starts_with(begin)) return true;
    return name == "none";
  };
  for (const std::string& program : kPrograms) {
    for (const std::string kind : {"device", "object", "chardev", "netdev", "accel"}) {
      const auto types = facts(program, kind);
      EXPECT_GE(types.size(), kind == "accel" ? 2U : 9U) << program << " " << kind;
      for (const auto& [name, unused] : types) {
        const bool passes =
            check_value({.name = kind, .value = name, .takes_value = true}, {}, Origin::command_line).has_value();
        const bool served = name.starts_with("vhost-user-fs") || name.starts_with("vhost-user-vsock");
        EXPECT_EQ(passes, !door(name) || served || (kind == "netdev" && name == "none"))
            << program << ": " << kind << " " << name;
      }
    }
  }
}

/// The program of this machine, asked now: `-version` ends it, after it has looked at all names.
TEST(QemuOptionTable, AgreesWithTheProgramThatIsInstalled) {
  if (!exists("/usr/bin/qemu-system-x86_64")) {
    std::cout << "NOT RUN HERE: there is no qemu-system-x86_64 to compare with\n";
    return;
  }
  int compared = 0;
  for (const KnownOption& option : known_options()) {
    const auto asked = run({.argv = {"/usr/bin/qemu-system-x86_64", "-version", "-" + std::string(option.name)}});
    ASSERT_THAT(asked, Succeeds());
    if (asked->err.contains("invalid option")) continue;
    ++compared;
    EXPECT_EQ(asked->err.contains("requires an argument"), option.takes == Takes::value)
        << option.name << ": " << asked->err;
  }
  EXPECT_GT(compared, 60);
}

}  // namespace
}  // namespace vmcred::vmm::qemu
