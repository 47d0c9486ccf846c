// Findings of a libvirt domain. libvirt puts OEM strings on QEMU's command line, into its log and into dumpxml.
#include <algorithm>
#include <array>

#include "chain/check.h"
#include "chain/command_words.h"
#include "chain/kernel_line.h"
#include "chain/oem_strings.h"
#include "chain/xml.h"
#include "declare/kernel_line.h"
#include "shape/secret_shape.h"

namespace vmcred::chain {
namespace {

using xml::Element;

constexpr std::string_view kWho = "libvirt writes it on the command line, into its log and into 'virsh dumpxml'";
constexpr std::string_view kRemedy = "deliver it with vmcred, which uses descriptors alone";

class Domain {
 public:
  Domain(const Element& root, const std::string& file, int systemd, std::vector<Finding>& findings)
      : root_(root), file_(file), systemd_(systemd), findings_(findings) {}

  void check() {
    for (const Element* sysinfo : root_.name == "sysinfo" ? std::vector<const Element*>{&root_} : root_.all("sysinfo"))
      check_sysinfo(*sysinfo);
    check_os();
    judge_strings(strings_, Code::secret_in_domain, kWho, findings_);
    judge_strings(items_, Code::secret_in_domain, kWho, findings_);
    judge_arrival(strings_, items_, findings_);
    if (!strings_.empty()) judge_amount(strings_, systemd_, findings_);
    check_passed_through();
    look_everywhere(root_, 0);
  }

 private:
  [[nodiscard]] declare::Place place(const Element& element) const {
    return {.file = file_, .line = element.line, .column = element.column};
  }

  void check_sysinfo(const Element& sysinfo) {
    const std::string* type = sysinfo.attribute("type");
    if (type != nullptr && *type == "fwcfg") {
      for (const Element* entry : sysinfo.all("entry")) check_item(*entry);
      return;
    }
    for (const Element* list : sysinfo.all("oemStrings"))
      for (const Element* entry : list->all("entry")) strings_.push_back({entry->text, place(*entry)});
  }

  void check_item(const Element& entry) {
    const std::string* name = entry.attribute("name");
    if (name == nullptr) return;
    const bool in_clear = entry.attribute("file") == nullptr;
    judge_item_name(*name, place(entry), findings_);
    if (const auto as_string = item_as_string(*name, in_clear ? entry.text : "")) {
      items_.push_back({*as_string, place(entry), in_clear});
    } else if (const auto what = in_clear ? shape::looks_like_secret(entry.text, *name) : std::nullopt) {
      tell(entry, *what);
    }
  }

  void check_os() {
    const Element* os = root_.child("os");
    if (os == nullptr) return;
    if (const Element* line = os->child("cmdline")) {
      judge_kernel_line(line->text, place(*line), Code::secret_in_domain, findings_);
      judge_import(line->text, place(*line), !strings_.empty() || !items_.empty(), findings_);
    }
    for (const Element* word : os->all("initarg"))  // of a container's PID 1, which takes them for the kernel's
      if (declare::sets_credential(word->text))
        judge_kernel_line("'" + word->text + "'", place(*word), Code::secret_in_domain, findings_);
    if (strings_.empty()) return;
    const Element* mode = os->child("smbios");
    const std::string* said = mode == nullptr ? nullptr : mode->attribute("mode");
    if (const auto why = without_smbios(of_type(*os, "arch"), machine(*os), has_firmware(*os))) {
      findings_.push_back(finding(Code::smbios_ignored, strings_.front().place, why->first, why->second));
    } else if (said == nullptr || *said != "sysinfo") {
      findings_.push_back(finding(
          Code::smbios_mode_missing, mode == nullptr ? place(*os) : place(*mode),
          said == nullptr
              ? std::string(
                    "without <smbios mode='sysinfo'/> libvirt gives the guest none of the OEM strings, silently")
              : "with <smbios mode='" + *said + "'/> libvirt gives the guest none of the OEM strings, silently",
          "write <smbios mode='sysinfo'/> in <os>"));
    }
  }

  static std::string of_type(const Element& os, std::string_view key) {
    const Element* type = os.child("type");
    const std::string* said = type == nullptr ? nullptr : type->attribute(key);
    return said == nullptr ? std::string() : *said;
  }
  static std::string machine(const Element& os) {
    return of_type(os, "machine").starts_with("microvm") ? "microvm" : of_type(os, "machine");
  }
  static bool has_firmware(const Element& os) {
    return os.attribute("firmware") != nullptr || os.child("loader") != nullptr;
  }

  /// The begin of the command line to which libvirt adds what is passed through.
  [[nodiscard]] std::vector<std::string> own_words() const {
    const Element* os = root_.child("os");
    if (os == nullptr) return {"qemu"};
    std::vector<std::string> words{"qemu-system-" + of_type(*os, "arch"), "-machine", machine(*os)};
    if (has_firmware(*os)) words.insert(words.end(), {"-bios", "firmware"});
    return words;
  }

  void check_passed_through() {
    for (const Element& each : root_.children) {
      if (each.space != "http://libvirt.org/schemas/domain/qemu/1.0" && each.space != "qemu") continue;
      if (each.name != "commandline") continue;
      std::vector<std::string> words = own_words();
      std::vector<declare::Place> places(words.size(), place(each));
      for (const Element* word : each.all("arg")) {
        words.push_back(word->attribute("value") == nullptr ? "" : *word->attribute("value"));
        places.push_back(place(*word));
      }
      for (Finding& found : check_command_line(words, file_, systemd_, places)) findings_.push_back(std::move(found));
      for (const Element* variable : each.all("env")) {
        const std::string* name = variable->attribute("name");
        const std::string* value = variable->attribute("value");
        if (name == nullptr || value == nullptr) continue;
        if (const auto what = shape::looks_like_secret(*value, *name)) tell(*variable, *what);
      }
    }
  }

  /// Passwords of graphics, keys in metadata: whatever else a domain may hold.
  void look_everywhere(const Element& element, int depth) {
    if (element.name == "sysinfo" || element.name == "cmdline" ||
        (element.name == "commandline" && !element.space.empty()) || depth > xml::kMaxDepth)
      return;
    for (const auto& [key, value] : element.attributes) {
      if (key.starts_with("xmlns") || key == "secret") continue;  // secret= is the UUID of a secret that libvirt has
      if (const auto what = shape::looks_like_secret(value, key)) return tell(element, *what);
    }
    const std::string* name = element.attribute("name");
    if (element.children.empty())
      if (const auto what = shape::looks_like_secret(element.text, name == nullptr ? element.name : *name))
        return tell(element, *what);
    for (const Element& child : element.children) look_everywhere(child, depth + 1);
  }

  void tell(const Element& element, std::string_view what) {
    findings_.push_back(finding(Code::secret_in_domain, place(element),
                                fmt::format("<{}> holds what looks like a secret: {}", element.name, what),
                                std::string(kRemedy)));
  }

  const Element& root_;
  const std::string& file_;
  int systemd_;
  std::vector<Finding>& findings_;
  std::vector<OpenString> strings_ = {};
  std::vector<OpenString> items_ = {};
};

/// Domains may stand in a status file, a snapshot or a backup of libvirt's.
void find_domains(const Element& element, std::vector<const Element*>& found) {
  if (element.name == "domain" || element.name == "sysinfo" || element.name == "inactiveDomain")
    return found.push_back(&element);
  for (const Element& child : element.children) find_domains(child, found);
}

}  // namespace

Result<std::vector<Finding>> check_domain(std::string_view text, const std::string& file, int systemd) {
  std::vector<Finding> findings;
  TRY_LET(const Element root, in(fmt::format("read '{}'", file), xml::read(text)));
  std::vector<const Element*> domains;
  find_domains(root, domains);
  if (domains.empty())
    return hint(fail(Errc::invalid_data, "'{}' is no libvirt domain", file), "'virsh dumpxml NAME >FILE' makes one");
  for (const Element* each : domains) Domain(*each, file, systemd, findings).check();
  return findings;
}

}  // namespace vmcred::chain
