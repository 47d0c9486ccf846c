// vmcred deploy and vars upload: a machine gets its encrypted vars and its key, over ssh.
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <thread>

#include "base/file.h"
#include "base/foreign_text.h"
#include "base/json.h"
#include "base/process.h"
#include "declare/load.h"
#include "host/commands.h"
#include "signatures/trust.h"
#include "store/bundle.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kDeployParameters[] = {
    {"MACHINE", "which machine's vars"},
    {"--target USER@HOST", "where it is (default: root@MACHINE)"},
    {"--folder DIR", "where it keeps them (default: /var/lib/vmcred)"},
    {"--ssh-option OPTION...", "passed to ssh as -o OPTION"},
    {"--no-activate", "only send"},
};
constexpr Parameter kUploadParameters[] = {
    {"MACHINE", "which machine's key"},
    {"--target USER@HOST", "where it is (default: root@MACHINE)"},
    {"--directory DIR", "write it to this folder here instead, as key.txt"},
    {"--folder DIR", "where it keeps it (default: /var/lib/vmcred)"},
    {"--ssh-option OPTION...", "passed to ssh as -o OPTION"},
};

/// For a shell on the other side; what we take has no quotes in it.
Result<std::string> plain_path(const std::string& path) {
  const bool plain = std::ranges::all_of(path, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
           c == '_' || c == '.';
  });
  if (path.starts_with('/') && plain) return path;
  return fail(Errc::usage, "'{}' is no plain absolute path", path);
}

/// What runs there, as root. The key and the project change by one rename each; what was sent is unpacked beside them.
std::string remote_script(const std::string& folder, const std::string& machine, bool activate) {
  std::string script = fmt::format(
      "set -eu; umask 077; d={0}; mkdir -p $d/projects; n=$(mktemp -d $d/incoming.XXXXXX); trap \"rm -rf $n\" EXIT; "
      "tar -xpf - -C $n; sync; {1}if [ -e $n/key.txt ]; then mv -f $n/key.txt $d/key.txt; fi; "
      "if [ -d $n/project ]; then p=$(mktemp -d $d/projects/XXXXXX); mv $n/project $p/project; "
      "ln -s projects/${{p##*/}}/project $n/link; mv -fT $n/link $d/project; "
      "for o in $d/projects/*; do if [ $o != $p ]; then rm -rf $o; fi; done; fi; ",
      folder, activate ? fmt::format("vmcred activate --verify --project $n/project --machine {}; ", machine) : "");
  if (activate)
    script += fmt::format("vmcred activate --restart --project {0}/project --machine {1}; ", folder, machine);
  return script;
}

/// Passes on what comes through `from`, and keeps the end of it. It does not wait for the end of the pipe, which a
/// connection that ssh keeps open in the background (ControlPersist) would hold.
class Listener {
 public:
  explicit Listener(Fd from) : from_(std::move(from)), thread_([this](const std::stop_token& stop) { listen(stop); }) {}
  /// To be called when whoever spoke has ended.
  std::string heard() {
    thread_.request_stop();
    thread_.join();
    return heard_;
  }

 private:
  void listen(const std::stop_token& stop) {
    constexpr int kLookAgain = 50;  // ms
    constexpr std::size_t kKept = 16UL * 1024;
    std::array<char, 4096> some = {};
    while (true) {
      const bool last = stop.stop_requested();  // what was said before the end is there by now
      pollfd watched = {.fd = from_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&watched, 1, last ? 0 : kLookAgain) <= 0) {
        if (last) return;
        continue;
      }
      const ssize_t n = ::read(from_.get(), some.data(), some.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      const std::string_view words(some.data(), static_cast<std::size_t>(n));
      [[maybe_unused]] const ssize_t told =
          ::write(2, words.data(), words.size());  // who closed it does not want to know
      heard_ += words;
      if (heard_.size() > kKept) heard_.erase(0, heard_.size() - kKept);
    }
  }

  Fd from_;
  std::string heard_ = {};
  std::jthread thread_;
};

/// Why it failed there, in the words that came from there.
Failure refused_there(const std::string& target, const ExitStatus& status, std::string_view heard) {
  constexpr int kNoConnection = 255;
  constexpr int kNoProgram = 127;
  constexpr std::string_view kError = "vmcred: error: ";
  if (const std::size_t at = heard.rfind(kError); at != std::string_view::npos) {
    const std::string_view line = heard.substr(at + kError.size());
    return fail(Errc::io, "send to '{}': there: {}", target, one_line(line.substr(0, line.find('\n'))));
  }
  if (status.code == kNoConnection)
    return hint(
        fail(Errc::unavailable, "send to '{}': ssh did not get there", target),
        fmt::format(
            "'ssh {} true' must work without a question; --target names another place, --ssh-option what ssh needs",
            target));
  if (status.code == kNoProgram)
    return hint(fail(Errc::unavailable, "send to '{}': 'vmcred' is not among the programs there", target),
                "install it there, or only send: --no-activate");
  return fail(Errc::io, "send to '{}': what ran there ended with {}", target, status.text());
}

Result<> send(const std::string& target, const std::string& script, const std::vector<store::BundleFile>& files,
              const Given& given) {
  if (target.starts_with('-')) return fail(Errc::usage, "'{}' is no USER@HOST", target);
  std::vector<std::string> argv = {"ssh", "-T", "-o", "BatchMode=yes"};
  for (const std::string& option : given.all("ssh-option")) argv.insert(argv.end(), {"-o", option});
  argv.insert(argv.end(),
              {"--", target,
               fmt::format("if [ $(id -u) = 0 ]; then exec sh -c '{0}'; else exec sudo -n sh -c '{0}'; fi", script)});
  TRY_LET(FdPair pipe, make_pipe());
  TRY_LET(FdPair words, make_pipe());
  TRY_LET(Child child,
          spawn({.argv = std::move(argv), .descriptors = {{0, pipe.first.get()}, {2, words.second.get()}}}));
  pipe.first = Fd();
  words.second = Fd();
  Listener listener(std::move(words.first));
  ::signal(SIGPIPE, SIG_IGN);  // a connection that breaks is told by ssh
  const Result<> written = write_bundle(pipe.second, files);
  pipe.second = Fd();
  TRY_LET(const ExitStatus status, child.wait());
  const std::string heard = listener.heard();
  if (!status.ok()) return refused_there(target, status, heard);
  return in(fmt::format("send to '{}'", target), written);
}

std::string target_of(const Given& given) {
  return given.has("target") ? given.at("target") : "root@" + given.at("MACHINE");
}

Result<std::string> folder_there(const Given& given) {
  return plain_path(given.has("folder") ? given.at("folder") : "/var/lib/vmcred");
}

Result<> check_machine(const Project& project, const std::string& machine) {
  if (project.declaration.machines.contains(machine)) return {};
  return no_machine(machine, project.declaration);
}

/// What is sent, as a signed list. The counter is the time, so that several people can deploy to one machine without
/// asking each other.
Result<> add_manifest(std::vector<std::pair<std::string, std::string>>& texts, const std::string& machine, bool secrets,
                      const Project& project, const World& world) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(world.clock->now().time_since_epoch());
  store::Manifest manifest{.machine = machine, .counter = static_cast<std::uint64_t>(now.count())};
  if (secrets) {
    TRY_LET(const auto keys, store::Principals(project.repository).keys(store::Kind::machine, machine));
    manifest.key = keys.front().text;
  }
  constexpr std::string_view kProject = "project/";
  for (const auto& [path, text] : texts) store::add_file(manifest, path.substr(kProject.size()), text);
  const std::string text = store::print_manifest(manifest);
  TRY_LET(const auto signatures, own_signatures(project.declaration.folder, world));
  TRY_LET(std::string signature, signatures->sign_text(store::kManifestNameSpace, text));
  texts.emplace_back(fmt::format("{}{}", kProject, store::kManifestName), text);
  texts.emplace_back(fmt::format("{}{}", kProject, store::kManifestSignatureName), std::move(signature));
  return {};
}

Result<Exit> deploy(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  const std::string machine = given.at("MACHINE");
  TRY(check_machine(project, machine));
  TRY_LET(const std::string folder, folder_there(given));
  if (const std::vector<store::VarId> absent = store::missing(project.repository, project.declaration, machine);
      !absent.empty())
    return hint(
        fail(Errc::not_found, "{} and {} more values are missing", store::spoken(absent.front()), absent.size() - 1),
        fmt::format("run 'vmcred vars generate {}'", machine));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  std::vector<std::pair<std::string, std::string>> texts;
  texts.emplace_back("project/vmcred.json", dump_json(declare::to_json(project.declaration), Indent::two_spaces));
  bool secrets = false;
  for (const store::Wanted& value : store::wanted_on(project.declaration, machine)) {
    TRY_LET(store::Repository::Stored stored, project.repository.stored(value.id));
    const bool secret = stored.form == store::Form::secret;
    secrets = secrets || secret;
    texts.emplace_back(fmt::format("project/{}/{}/{}", store::Repository::generator_path(value.id.generator),
                                   value.id.file, secret ? "secret" : "value"),
                       std::move(stored.text));
  }
  Secret key;
  std::vector<store::BundleFile> files;
  if (secrets) {
    TRY_LET(key, store::machine_key(project.repository, machine, keys));
    files.push_back({.path = "key.txt", .bytes = key.bytes(), .mode = 0600});
  }
  const std::size_t values = texts.size() - 1;
  const bool demanded = project.repository.proof() != nullptr;
  if (demanded) TRY(add_manifest(texts, machine, secrets, project, world));
  for (const auto& [path, text] : texts) files.push_back({.path = path, .bytes = bytes_of(text)});
  TRY(send(target_of(given), remote_script(folder, machine, !given.has("no-activate")), files, given));
  answer_with(world, Json::object()
                         .set("machine", machine)
                         .set("target", target_of(given))
                         .set("values", values)
                         .set("signed", demanded));
  note(world,
       fmt::format("sent {} values to {}{}", values, target_of(given), demanded ? ", with a signed manifest" : ""));
  return Exit::done;
}

Result<Exit> upload(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  const std::string machine = given.at("MACHINE");
  TRY(check_machine(project, machine));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(const Secret key, store::machine_key(project.repository, machine, keys));
  if (given.has("directory")) {
    const std::string folder = given.at("directory");
    TRY(make_folders(folder, 0700));
    TRY(write_file(join_path(folder, "key.txt"), key.text(), 0600));
    answer_with(world, Json::object().set("machine", machine).set("file", join_path(folder, "key.txt")));
    note(world, fmt::format("wrote the private key of machine '{}' to {}", machine, join_path(folder, "key.txt")));
    return Exit::done;
  }
  TRY_LET(const std::string folder, folder_there(given));
  TRY(send(target_of(given), remote_script(folder, machine, false),
           {{.path = "key.txt", .bytes = key.bytes(), .mode = 0600}}, given));
  answer_with(world, Json::object().set("machine", machine).set("target", target_of(given)));
  note(world, fmt::format("sent the key of machine '{}' to {}", machine, target_of(given)));
  return Exit::done;
}

}  // namespace

constinit const Command kDeploy = {
    "deploy",
    "send a machine its encrypted vars and its key, and activate them there",
    "Over one ssh connection: the declaration, the ciphertext of what is deployed to the machine, and its private\n"
    "key, which no disk on this side sees. There the key and the project change by one rename each, and\n"
    "'vmcred activate --restart' runs. A user other than root needs sudo without a password there.\n\n"
    "Where signatures are demanded ('vmcred signatures keygen'), a signed manifest of all that is sent goes along, and "
    "a\n"
    "host that has /etc/vmcred/trusted-signers takes nothing else.",
    kDeployParameters,
    deploy,
};

constinit const Command kVarsUpload = {
    "vars upload",
    "send a machine its private key",
    "Over ssh to where 'vmcred activate' looks for it, in one step; or with --directory to a folder here, for an\n"
    "installer to take along.",
    kUploadParameters,
    upload,
};

}  // namespace vmcred::app
