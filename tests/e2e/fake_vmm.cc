// Stands in for QEMU where a test needs a VMM that misbehaves: speaks QMP on the inherited socket, reads its memory
// files as QEMU does, and records everything it was given. Told what to do by one argument, "-fake WORD[,WORD…]", which
// no VMM has: allow-options = ["fake="] lets it pass.
//   record=DIR     write argv, environ, descriptors and each memory file (before and after cont) below DIR
//   version=V.V.V  greet with that version
//   complain=TEXT  print TEXT on stderr at once
//   silent         never greet          die=N          exit at once with code N
//   end=REASON     right after cont emit SHUTDOWN with that reason and exit
//   deaf           ignore the power key and control-alt-delete
//   no-quit        ignore quit          no-term        ignore SIGTERM
//   crash          abort after cont     console=TEXT   print TEXT on stdout after cont
// With "--api-socket fd=N" it is cloud-hypervisor instead: HTTP on that listening socket, each body recorded, status
// 204 or what refuse=CODE says.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

int qmp = 3;     // the supervisor's monitor; answers go to `speaker`, events to both
int guard = -1;  // the guard's, where the command line has one
int speaker = 3;
volatile sig_atomic_t terminated = 0;

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

void say(const std::string& line) { (void)!::write(speaker, (line + "\r\n").data(), line.size() + 2); }

[[noreturn]] void end(const std::string& reason) {
  speaker = qmp;
  say(R"({"timestamp":{"seconds":1,"microseconds":0},"event":"SHUTDOWN","data":{"guest":true,"reason":")" + reason +
      "\"}}");
  ::_exit(0);
}

/// The part of a QMP line between "KEY":" and the next quote; enough for what the supervisor sends.
std::string part_of(const std::string& line, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const auto at = line.find(key);
  return at == std::string::npos ? "" : line.substr(at + key.size(), line.find('"', at + key.size()) - at - key.size());
}

struct Given {
  std::vector<std::string> argv;
  std::map<std::string, std::string> words;
  int api = -1;                    // the listening socket of --api-socket fd=N
  std::vector<std::string> files;  // the paths of -smbios file=, -fw_cfg file= and -initrd
  [[nodiscard]] bool has(const std::string& word) const { return words.contains(word); }
  [[nodiscard]] std::string at(const std::string& word) const { return has(word) ? words.at(word) : ""; }
};

/// The driver 'file' takes no device; -drive would look for itself which driver it is.
void refuse_disk(const std::string& value) {
  const auto at = value.find("file.driver=file,file.filename=");
  if (at == std::string::npos) return;
  const std::string path = value.substr(value.rfind('=') + 1);
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return;
  std::fprintf(stderr, "qemu-system-x86_64: -blockdev %s: 'file' driver requires '%s' to be a regular file\n",
               value.c_str(), path.c_str());
  ::_exit(1);
}

Given read_arguments(int count, char** arguments) {
  Given given;
  given.argv.assign(arguments, arguments + count);
  for (int i = 1; i + 1 < count; ++i) {
    const std::string option = arguments[i];
    const std::string value = arguments[i + 1];
    if (option == "-fake") {
      std::stringstream list(value);
      for (std::string word; std::getline(list, word, ',');) {
        const auto equals = word.find('=');
        given.words[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
      }
    }
    const auto file = value.find("file=/proc/self/fd/");
    if (file != std::string::npos) given.files.push_back(value.substr(file + 5, value.find(',', file) - file - 5));
    if (option == "--api-socket") given.api = std::atoi(value.c_str() + 3);
    if (option == "-initrd") given.files.push_back(value);
    if (option == "-blockdev") refuse_disk(value);
    const auto number = value.find(",fd=");
    if (value.starts_with("socket,id=qmp,") || value.starts_with("socket,id=vmcred-qmp,"))
      qmp = std::atoi(value.c_str() + number + 4);
    if (value.starts_with("socket,id=vmcred-guard,")) guard = std::atoi(value.c_str() + number + 4);
  }
  return given;
}

void record_files(const Given& given, const std::string& when) {
  const std::string folder = given.at("record");
  if (folder.empty()) return;
  int number = 0;
  for (const std::string& file : given.files) {
    struct stat status = {};
    if (::stat(file.c_str(), &status) != 0) continue;
    const std::string name = folder + "/blob" + std::to_string(number++) + "." + when;
    write_file(name, slurp(file));
    char mode[16];
    (void)std::snprintf(mode, sizeof mode, "%o\n", status.st_mode & 07777U);
    write_file(name + ".mode", mode);
  }
}

void record_start(const Given& given) {
  const std::string folder = given.at("record");
  if (folder.empty()) return;
  std::string argv;
  for (const std::string& word : given.argv) argv += word + "\n";
  write_file(folder + "/argv", argv);
  write_file(folder + "/environ", slurp("/proc/self/environ"));
  std::string descriptors;
  DIR* const all = ::opendir("/proc/self/fd");
  while (const dirent* const entry = ::readdir(all)) {
    char target[4096] = {};
    const ssize_t size = ::readlinkat(::dirfd(all), entry->d_name, target, sizeof target - 1);
    if (size > 0 && std::atoi(entry->d_name) != ::dirfd(all))
      descriptors += std::string(entry->d_name) + " " + target + "\n";
  }
  ::closedir(all);
  write_file(folder + "/descriptors", descriptors);
}

void go(const Given& given) {
  record_files(given, "after");
  if (given.has("console")) {
    (void)!::write(1, given.at("console").data(), given.at("console").size());
  }
  if (given.has("crash")) std::abort();
  if (given.has("end")) end(given.at("end"));
}

void obey(const Given& given, const std::string& line) {
  const std::string command = part_of(line, "execute");
  if (command == "qmp_capabilities" && speaker == qmp) record_files(given, "before");
  if (command == "quit" && given.has("no-quit")) return;
  say(R"({"return":{},"id":")" + part_of(line, "id") + "\"}");
  if (command == "cont") {
    speaker = qmp;
    go(given);
  }
  if (command == "system_powerdown" && !given.has("deaf")) end("guest-shutdown");
  if (command == "input-send-event" && !given.has("deaf")) end("guest-reset");  // control-alt-delete, and -no-reboot
  if (command == "quit") ::_exit(0);
}

/// One connection after another, one request after another, as cloud-hypervisor's API serves them.
[[noreturn]] void serve_api(const Given& given, int listener) {
  for (int number = 0;;) {
    const int connection = ::accept(listener, nullptr, nullptr);
    std::string pending;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(connection, buffer, sizeof buffer)) > 0;) {
      pending.append(buffer, static_cast<std::size_t>(n));
      const auto head = pending.find("\r\n\r\n");
      if (head == std::string::npos) continue;
      const auto length = pending.find("Content-Length: ");
      const std::size_t size = length < head ? std::strtoul(pending.c_str() + length + 16, nullptr, 10) : 0;
      if (pending.size() < head + 4 + size) continue;
      const std::string line = pending.substr(0, pending.find("\r\n"));
      if (given.has("record"))
        write_file(given.at("record") + "/request" + std::to_string(number++), line + "\n" + pending.substr(head + 4));
      pending.clear();
      if (line.find("vm.power-button") != std::string::npos && given.has("deaf")) continue;
      const std::string code = given.has("refuse") ? given.at("refuse") : "204";
      const std::string answer =
          "HTTP/1.1 " + code + " \r\nServer: fake\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n";
      (void)!::write(connection, answer.data(), answer.size());
      if (line.find("vm.power-button") != std::string::npos || line.find("vmm.shutdown") != std::string::npos)
        ::_exit(0);
      if (line.find("vm.boot") != std::string::npos && given.has("end"))
        ::_exit(given.at("end") == "guest-shutdown" ? 0 : 1);
    }
    ::close(connection);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const Given given = read_arguments(count, arguments);
  record_start(given);
  if (given.has("complain")) std::fprintf(stderr, "%s\n", given.at("complain").c_str());
  if (given.has("die")) return std::atoi(given.at("die").c_str());
  if (given.api >= 0) serve_api(given, given.api);
  struct sigaction action = {};
  action.sa_handler = [](int) { terminated = 1; };
  if (given.has("no-term")) action.sa_handler = SIG_IGN;
  ::sigaction(SIGTERM, &action, nullptr);
  int version[3] = {7, 2, 0};
  if (given.has("version"))
    (void)std::sscanf(given.at("version").c_str(), "%d.%d.%d", &version[0], &version[1], &version[2]);
  const std::string greeting = R"({"QMP":{"version":{"qemu":{"micro":)" + std::to_string(version[2]) + R"(,"minor":)" +
                               std::to_string(version[1]) + R"(,"major":)" + std::to_string(version[0]) +
                               R"(},"package":"fake"},"capabilities":[]}})";
  for (const int monitor : {guard, qmp}) {
    speaker = monitor;
    if (monitor >= 0 && !given.has("silent")) say(greeting);
  }
  std::map<int, std::string> pending;
  for (;;) {
    if (terminated != 0) end("host-signal");
    pollfd monitors[] = {{qmp, POLLIN, 0}, {guard, POLLIN, 0}};  // a negative one is left out
    if (::poll(monitors, 2, -1) < 0) continue;
    for (const pollfd& monitor : monitors) {
      if (monitor.revents == 0) continue;
      char buffer[4096];
      const ssize_t n = ::read(monitor.fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) ::pause();  // QEMU outlives a closed QMP peer, too
      if (n <= 0) continue;
      std::string& text = pending[monitor.fd];
      text.append(buffer, static_cast<std::size_t>(n));
      for (auto line = text.find('\n'); line != std::string::npos; line = text.find('\n')) {
        speaker = monitor.fd;
        const std::string one = text.substr(0, line);
        text.erase(0, line + 1);
        obey(given, one);
      }
    }
  }
}
