#include "manual.h"

#include <algorithm>
#include <string>

#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr Example kExamples[] = {
    {"begin a project in this folder", "vmcred init"},
    {"begin one that runs, with the guest that tools/guest-image made", "vmcred init --example --guest build/guest"},
    {"see what a declaration means, with every default and name", "vmcred declare"},
    {"give your editor the schema of vmcred.toml", "vmcred declare --schema >vmcred.schema.json"},
    {"take over agenix's secrets, and what is to be declared of them", "vmcred import agenix secrets >>vmcred.toml"},
    {"take over a folder of sops files", "vmcred import sops-nix secrets >>vmcred.toml"},
    {"see the whole chain at work", "vmcred demo"},
    {"the same as one JSON object, with a guest from elsewhere", "vmcred demo --guest /srv/guest --json"},

    {"make all values that are missing", "vmcred vars generate"},
    {"see what would be made for one machine, and why", "vmcred vars generate --dry-run web1"},
    {"answer the prompts from a file", "vmcred vars generate --answers answers.txt"},
    {"see all values and how they fare", "vmcred vars list"},
    {"only those of one machine, for a program", "vmcred vars list web1 --json"},
    {"print one value", "vmcred vars get app-secrets/api-key"},
    {"copy it without showing it", "vmcred vars get web1 app-secrets/api-key | wl-copy"},
    {"type a value, hidden and twice", "vmcred vars set app-secrets/api-key"},
    {"take it from a file", "vmcred vars set app-secrets/certificate <cert.pem"},
    {"find what is missing, stale or readable by the wrong people", "vmcred vars check"},
    {"see who would become or cease to be a reader", "vmcred vars fix --dry-run"},
    {"make it so, in one commit", "vmcred vars fix --commit"},
    {"replace all values of a generator, and what is made from them", "vmcred vars rotate -g app-secrets"},
    {"replace one of its files alone", "vmcred vars rotate --only-this app-secrets/api-key"},
    {"see what nobody declares any more", "vmcred vars prune --dry-run"},
    {"write all values in plain text, for a move", "vmcred vars export /dev/shm/backup"},
    {"take them in again", "vmcred vars import /dev/shm/backup"},
    {"follow a generator that has a new name in the declaration", "vmcred vars rename app-secrets shop-secrets"},
    {"send a host its key, over ssh", "vmcred vars upload web1 --target root@192.0.2.7"},
    {"on the host itself, which has the project", "vmcred vars upload web1 --directory /var/lib/vmcred"},
    {"make your key, and join the project", "vmcred vars keygen --user bob"},

    {"see everything that is stored", "vmcred secrets list"},
    {"print a secret that no declaration names", "vmcred secrets get web1-age.key"},
    {"see who can read a value", "vmcred secrets who app-secrets/api-key"},
    {"see what somebody can read", "vmcred secrets what bob"},
    {"see who is in the project", "vmcred secrets users list"},
    {"see somebody's keys", "vmcred secrets users get bob"},
    {"let somebody into the project", "vmcred secrets users add bob age1bobskey"},
    {"see somebody off: out of everything, and new values", "vmcred secrets users remove bob --rotate --commit"},
    {"give somebody a second key, a laptop's say", "vmcred secrets users add-key bob age1laptopkey"},
    {"take a lost key away, and make new values", "vmcred secrets users remove-key bob age1laptopkey --rotate"},
    {"let somebody read one value", "vmcred secrets users add-secret bob app-secrets/api-key"},
    {"take it from him", "vmcred secrets users remove-secret bob app-secrets/api-key"},
    {"see which machines have a key", "vmcred secrets machines list"},
    {"see one's public key", "vmcred secrets machines get web1"},
    {"add one that brings its own key", "vmcred secrets machines add web2 age1web2key"},
    {"see one off", "vmcred secrets machines remove web1"},
    {"give one a new name", "vmcred secrets machines rename web1 shop1"},
    {"give one a new key, after a break-in say", "vmcred secrets machines renew-key web1"},
    {"let one read a value that is not deployed to it", "vmcred secrets machines add-secret web1 app-secrets/api-key"},
    {"take it from it", "vmcred secrets machines remove-secret web1 app-secrets/api-key"},
    {"see the groups", "vmcred secrets groups list"},
    {"put somebody into a group, which is made with its first member", "vmcred secrets groups add-user operators bob"},
    {"take him out", "vmcred secrets groups remove-user operators bob"},
    {"put a machine into a group", "vmcred secrets groups add-machine fleet web1"},
    {"take it out", "vmcred secrets groups remove-machine fleet web1"},
    {"let a group read a value", "vmcred secrets groups add-secret operators app-secrets/api-key"},
    {"take it from the group", "vmcred secrets groups remove-secret operators app-secrets/api-key"},
    {"see the public half of your key, to tell others", "vmcred secrets key show"},
    {"become a reader again by a machine's key", "vmcred recover --identity key.txt"},

    {"demand signatures from now on", "vmcred signatures keygen"},
    {"find what nobody you trust has signed", "vmcred signatures check"},
    {"vouch for a change that you have looked at", "vmcred signatures sign vars/per-machine/web1/app-secrets"},
    {"see what a signature is over", "vmcred signatures show vars/per-machine/web1/app-secrets"},

    {"find what would stop a secret on its way", "vmcred check"},
    {"the same on every machine, for a build", "vmcred check --declaration --fail-on error"},
    {"read about a finding", "vmcred check --describe VC002"},
    {"check units that others wrote, with their drop-ins", "vmcred check --unit /etc/systemd/system"},
    {"check a command line",
     "vmcred check -- qemu-system-x86_64 -smbios type=11,value=io.systemd.credential:motd=hello"},
    {"see the chains of all vms", "vmcred explain"},
    {"see every name and step of one credential", "vmcred explain app api-key"},
    {"make a page to send on", "vmcred explain --html >chains.html"},
    {"see what a guest gets, without the values", "vmcred inspect /sys/firmware/dmi/tables/DMI"},
    {"judge a dump as systemd 257 would", "vmcred inspect dump.bin --systemd 257"},

    {"find what is wrong on this host", "vmcred doctor"},
    {"learn why a unit failed", "vmcred doctor --unit microvm@app.service"},
    {"decrypt what this machine may read", "vmcred activate --project /var/lib/vmcred/project"},
    {"and restart what uses a changed value", "vmcred activate --restart"},
    {"send a host its key and ciphertext, and activate them", "vmcred deploy web1"},
    {"as another user, at another address", "vmcred deploy web1 --target admin@192.0.2.7 --ssh-option Port=2222"},

    {"see which vms run, and how sure it is that they have what they need", "vmcred vm list"},
    {"see how each credential would travel", "vmcred vm plan app"},
    {"see the command line that would run", "vmcred vm plan app --argv"},
    {"see what each hypervisor can carry", "vmcred vm plan --capabilities"},
    {"start a vm and follow it", "vmcred vm run app"},
    {"with the guest's console, without KVM", "vmcred vm run app --console --accel tcg"},
    {"hand changed values to a running guest", "vmcred vm refresh app"},
    {"only one of them", "vmcred vm refresh app --credential api-key"},
    {"power a vm off", "vmcred vm stop app"},
    {"see what a running vm received", "vmcred vm status app"},
    {"see the units that a host needs", "vmcred vm units"},
    {"write them, as root", "vmcred vm units --install"},
    {"write the drop-ins of the guest's services into an image",
     "vmcred vm units app --guest image/etc/systemd/system"},
    {"add a vm's credentials to a command line that somebody else built",
     "vmcred exec --vm app -- qemu-system-x86_64 -M q35 -kernel vmlinuz -initrd initrd"},

    {"see all commands", "vmcred help"},
    {"read about one", "vmcred help vars rotate"},
    {"complete commands in this bash", "vmcred completion bash >~/.local/share/bash-completion/completions/vmcred"},
};

/// "vars, secrets users": `words` is one of these commands, or begins with such a noun.
bool concerns(std::string_view list, std::string_view words) {
  while (!list.empty()) {
    const auto end = std::min(list.find(", "), list.size());
    const std::string_view one = list.substr(0, end);
    if (words == one || (words.starts_with(one) && words[one.size()] == ' ')) return true;
    list.remove_prefix(std::min(end + 2, list.size()));
  }
  return false;
}

struct Row {
  std::string_view commands;
  Mention mention;
};

constexpr std::string_view kOfProject =
    "init, declare, import, vars, secrets, recover, signatures, check, explain, activate, deploy, vm, exec";

constexpr std::string_view kOfKeys =
    "init, import, vars generate, vars get, vars set, vars fix, vars rotate, vars export, vars import, vars keygen, "
    "secrets get, "
    "secrets key, secrets users, secrets machines, secrets groups, recover, vm run, exec";
constexpr std::string_view kOfChanges =
    "init, import, vars generate, vars set, vars fix, vars rotate, vars prune, vars import, vars rename, vars keygen, "
    "secrets users, secrets machines, secrets groups, recover, signatures sign";

constexpr Row kFiles[] = {
    {kOfProject, {"vmcred.toml, vmcred.json, host.nix", "the declaration: one of the three, in the project folder"}},
    {kOfProject,
     {"vars/, sops/", "the store, beside the declaration: values, and who may read them; ciphertext and public keys"}},
    {kOfKeys, {"~/.config/sops/age/keys.txt", "your private key, where neither of the variables below names another"}},
    {"vars list, vars check",
     {"~/.cache/vmcred/readers", "what was read of secrets that have not changed since; may be removed"}},
    {"vars, secrets, import, recover, signatures, deploy",
     {"~/.config/vmcred/trusted-signers", "whose signatures count; where it is, signatures are demanded"}},
    {kOfChanges, {"~/.config/vmcred/signing-key", "the key with which your changes are signed"}},
    {"signatures",
     {"~/.config/vmcred/unsigned-projects", "projects that need no signatures, one absolute path a line"}},
    {"activate, deploy",
     {"/etc/vmcred/trusted-signers", "whose manifests this host takes; where it is, one is demanded"}},
    {"activate, deploy, vars upload, recover", {"/var/lib/vmcred/key.txt", "a host's private key"}},
    {"activate, vm, exec, doctor", {"/run/vmcred/vars", "the values that are active on this host, in memory alone"}},
    {"activate, vm refresh", {"/run/vmcred/not-refreshed", "vms whose guests did not take their new values yet"}},
    {"vm, exec",
     {"/run/vmcred/vm/NAME, $XDG_RUNTIME_DIR/vmcred/vm/NAME", "the folder of a running vm, root's and a user's"}},
    {"vm units", {"/etc/systemd/system/microvm@.service", "the unit of every vm; each has a drop-in beside it"}},
};

constexpr Row kEnvironment[] = {
    {kOfKeys,
     {"SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD",
      "your private key, the file that holds it, a command that prints it"}},
    {kOfKeys, {"SOPS_AGE_SSH_PRIVATE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_CMD", "the same for an SSH key"}},
    {"init, vars keygen, recover, signatures keygen", {"USER, LOGNAME", "your name in the project, without --user"}},
    {kOfChanges, {"CLAN_NO_COMMIT", "changes are only marked in git, and nothing is committed"}},
    {"vm run, exec", {"CREDENTIALS_DIRECTORY", "where the values come from in a unit: systemd loaded them there"}},
    {"vm run, exec", {"NOTIFY_SOCKET, RUNTIME_DIRECTORY", "systemd's: where READY=1 is said, and the vm's own folder"}},
    {"vm, exec, check, explain, activate, doctor",
     {"VMCRED_RUNTIME_DIR", "another folder for all running vms, for tests"}},
    {"demo", {"TMPDIR", "where the demo's project lies while it runs"}},
    {kOfProject, {"XDG_CONFIG_HOME, XDG_CACHE_HOME", "in place of ~/.config and ~/.cache"}},
    {"explain", {"COLUMNS", "how wide the drawing may be"}},
};

constexpr Mention kFindings[] = {
    {"import", "some secrets were left out; each is named, with the reason"},
    {"vars check", "something is missing, stale, damaged, or encrypted to the wrong readers"},
    {"vars fix", "with --dry-run: there is something to fix"},
    {"vars import", "the folder holds something that is not declared"},
    {"signatures check", "a signature is missing or wrong"},
    {"check", "there is an error or a warning"},
    {"inspect", "something would not arrive whole, or the dump was cut"},
    {"doctor", "there is an error or a warning"},
    {"vm units", "with --check: a file is missing that the start of the vm needs"},
};

template <std::size_t size>
std::vector<Mention> chosen(const Row (&rows)[size], const Command& command) {
  std::vector<Mention> found;
  for (const Row& row : rows) {
    if (concerns(row.commands, command.words)) found.push_back(row.mention);
  }
  return found;
}

}  // namespace

std::span<const Example> all_examples() { return kExamples; }

std::vector<Example> examples_of(const Command& command) {
  const std::string start = "vmcred " + std::string(command.words);
  std::vector<Example> found;
  for (const Example& example : kExamples) {
    if (example.line == start || example.line.starts_with(start + " ")) found.push_back(example);
  }
  return found;
}

std::vector<Mention> files_of(const Command& command) { return chosen(kFiles, command); }
std::vector<Mention> environment_of(const Command& command) { return chosen(kEnvironment, command); }

std::string_view findings_of(const Command& command) {
  const auto found =
      std::ranges::find_if(kFindings, [&](const Mention& each) { return concerns(each.name, command.words); });
  return found == std::end(kFindings) ? std::string_view() : found->what;
}

}  // namespace vmcred::app
