// 200 independent trivial generators on one core and on two, beside the bare sandbox: one `bwrap` with a bash in it
// each, the way a shell would run them.
// links: vmcred_store

#include "store_project.h"

namespace {

using namespace vmcred;  // NOLINT
using bench::Series;

constexpr std::size_t kGenerators = 200;
constexpr std::size_t kProcesses = 50;  // of the bare sandbox, a round; scaled to kGenerators
constexpr std::size_t kRounds = 10;

struct Project {
  TemporaryFolder folder = bench::must(TemporaryFolder::make("/dev/shm"));
  Project() {
    const age::KeyPair user = age::generate_key_pair();
    const age::KeyPair machine = age::generate_key_pair();
    std::string text = "[machines.host]\n";
    for (std::size_t i = 0; i < kGenerators; ++i)
      text += fmt::format("[generators.g-{}]\nscript = 'echo {} > \"$out/value\"'\nfiles.value = {{}}\n", i, i);
    write("vmcred.toml", text);
    write("key.txt", std::string(user.identity.text()) + "\n");
    write("sops/users/bench/key.json", store::print_key_file({{.type = "age", .text = user.recipient}}));
    write("sops/machines/host/key.json", store::print_key_file({{.type = "age", .text = machine.recipient}}));
  }
  void write(const std::string& path, std::string_view bytes) const {
    const std::string whole = join_path(folder.path(), path);
    bench::must(make_folders(whole.substr(0, whole.rfind('/'))));
    bench::must(write_file(whole, bytes, 0600));
  }
};

/// All 200, from start to exit, on these processors.
void generate(const std::string& processors) {
  const Project project;
  const std::string& folder = project.folder.path();
  bench::run_quietly({"taskset", "-c", processors, bench::program(), "--project", folder, "vars", "generate"}, 0,
                     {"SOPS_AGE_KEY_FILE=" + folder + "/key.txt"});
}

}  // namespace

int main() {
  std::vector<Series> all = {
      {"vmcred on two cores", [] { generate("0,1"); }},
      {"vmcred on one core", [] { generate("0"); }},
      {"bare bwrap on one core",
       [] {
         for (std::size_t i = 0; i < kProcesses; ++i)
           bench::run_quietly({"taskset",
                               "-c",
                               "0",
                               "bwrap",
                               "--unshare-all",
                               "--die-with-parent",
                               "--ro-bind",
                               "/usr",
                               "/usr",
                               "--symlink",
                               "usr/bin",
                               "/bin",
                               "--symlink",
                               "usr/lib",
                               "/lib",
                               "--symlink",
                               "usr/lib64",
                               "/lib64",
                               "--proc",
                               "/proc",
                               "--dev",
                               "/dev",
                               "--tmpfs",
                               "/tmp",
                               "bash",
                               "-c",
                               "echo 1 > /tmp/value"});
       },
       static_cast<double>(kGenerators) / kProcesses},
  };
  bench::measure(all, kRounds);
  fmt::print("{} generators, median of {} rounds:\n", kGenerators, kRounds);
  for (const Series& one : all)
    fmt::print("  {:23} {}: {:.2f} ms each\n", one.name, one.text(), one.median() / kGenerators);
  fmt::print(
      "  two cores against one: {:.2f} times faster (limit 1.6); over the bare sandbox on one core: {:.2f} ms each "
      "(limit 15)\n",
      all[1].median() / all[0].median(), (all[1].median() - all[2].median()) / kGenerators);
  return 0;
}
