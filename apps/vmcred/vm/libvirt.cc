#include "vm/libvirt.h"

#include "credential/limits.h"
#include "unit/host.h"

namespace vmcred::app {
namespace {

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '\'':
        escaped += "&apos;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace

Result<std::string> libvirt_sysinfo(const declare::Declaration& declaration, const declare::Vm& vm) {
  std::string entries;
  for (const declare::Credential& credential : vm.credentials) {
    if (credential.guest.size() > credential::kMaxFwCfgName) {
      return hint(fail(Errc::usage, "'{}' is {} bytes, and a name by fw_cfg has at most {}", credential.guest,
                       credential.guest.size(), credential::kMaxFwCfgName),
                  "give the credential a shorter name with guest = \"…\"");
    }
    const std::string name = "opt/io.systemd.credentials/" + credential.guest;
    if (credential.static_value) {
      entries +=
          fmt::format("  <entry name='{}'>{}</entry>\n", xml_escaped(name), xml_escaped(*credential.static_value));
      continue;
    }
    TRY_LET(const std::string path, unit::source_of(declaration, vm, credential, {}));
    entries += fmt::format("  <entry name='{}' file='{}'/>\n", xml_escaped(name), xml_escaped(path));
  }
  return "<!-- Below <domain>. QEMU reads the files itself: its user must be allowed to, and 'vmcred activate' must "
         "have run. -->\n"
         "<sysinfo type='fwcfg'>\n" +
         entries + "</sysinfo>\n";
}

}  // namespace vmcred::app
