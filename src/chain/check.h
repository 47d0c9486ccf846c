// The static checker: every broken link of the chain before anything boots. Nothing is decrypted, no VM is started.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "chain/finding.h"
#include "declare/load.h"
#include "store/repository.h"
#include "unitfile/syntax.h"

namespace vmcred::chain {

/// All of the following about a project and its files below `folder`, sorted. What needs a declaration without problems
/// is left out where it has some.
Result<std::vector<Finding>> check_project(const declare::Reading& reading, const std::string& folder,
                                           const Clock& clock);

/// What the declaration says by itself: its own problems, then names, lists, guest services, modes.
std::vector<Finding> check_declaration(const declare::Reading& reading);
/// What the declaration alone tells (see about.h), the delivery plans included: the same findings on every machine,
/// sorted.
std::vector<Finding> check_declared(const declare::Reading& reading);

/// The delivery plan of every vm, with the sizes that the stored files tell (a sops file is as long as its value).
/// `repository` may be null: sizes are not known then. For a declaration without problems.
std::vector<Finding> check_plans(const declare::Declaration& declaration, const store::Repository* repository);

/// The store: what is missing, orphaned, due, stale, drifted or in clear. For a declaration without problems.
Result<std::vector<Finding>> check_store(const declare::Declaration& declaration, const store::Repository& repository,
                                         const Clock& clock);

/// Files of the host that credentials come from, where this machine has them.
std::vector<Finding> check_sources(const declare::Declaration& declaration);

/// What the vms of this machine lack to start: kernel, initrd, the hypervisor's program. `activated` is where this
/// machine's vars are: only vms whose values are there are looked at, so that nothing is said in a build or on a
/// laptop.
std::vector<Finding> check_host(const declare::Declaration& declaration, const std::string& activated,
                                const std::string& search_path);
/// The program that starts a vm: a path, or a name on the search path.
std::string program_of(const declare::Vm& vm);

/// Files of the project folder (declaration, scripts, notes) that hold a private key. `vars` and `sops` are the
/// store's.
Result<std::vector<Finding>> check_tree(const std::string& folder);

/// Unit files and drop-ins that somebody wrote, in any order, for a systemd of that version. The files of one unit are
/// read together as systemd reads them: its own, its template's, and all drop-ins that belong to it.
using UnitText = unitfile::UnitText;
std::vector<Finding> check_units(const std::vector<UnitText>& units, int systemd);

/// Whether `program` is a hypervisor whose command line check_command_line() can read.
bool reads_command_line_of(std::string_view program);
/// The same of a whole command line, also behind sudo, env and the like.
bool reads_command_line(const std::vector<std::string>& words);
/// Whether files that a command line names (-readconfig, --config-file) are read: not those of processes of others,
/// which could name anything.
enum class NamedFiles : std::uint8_t { left_out, read };
/// A hypervisor's command line: `words` as in argv, `name` for messages ("command line"), `places` where each word
/// stands.
std::vector<Finding> check_command_line(const std::vector<std::string>& words, const std::string& name, int systemd,
                                        const std::vector<declare::Place>& places = {},
                                        NamedFiles files = NamedFiles::left_out);

/// A configuration of Firecracker, Proxmox, incus, QEMU (-readconfig), mkosi, nspawn or libvirt.
Result<std::vector<Finding>> check_configuration(std::string_view text, const std::string& file, int systemd);

/// A libvirt domain, or a file of libvirt's with domains in it.
Result<std::vector<Finding>> check_domain(std::string_view xml, const std::string& file, int systemd);

}  // namespace vmcred::chain
