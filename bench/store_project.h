// A project with many stored secrets, made fast: nothing is flushed, nothing runs. It lies in memory, so that what is
// measured is the program and not a disk.
#pragma once

#include <sys/stat.h>

#include <string>

#include "base/base64.h"
#include "base/sha256.h"
#include "store/record.h"
#include "store/vault.h"
#include "timing.h"

namespace vmcred::bench {

/// A project folder: user "bench" with a key of his own, machines m-0, m-1, …, each with the generator "g" of
/// `secrets` files.
struct StoreProject {
  TemporaryFolder folder = must(TemporaryFolder::make("/dev/shm"));
  age::KeyPair user = age::generate_key_pair();

  StoreProject(std::size_t machines, std::size_t secrets) {
    std::string names;
    for (std::size_t i = 0; i < machines; ++i) names += fmt::format("{}\"m-{}\"", i == 0 ? "" : ", ", i);
    std::string text;
    for (std::size_t i = 0; i < machines; ++i) text += fmt::format("[machines.m-{}]\n", i);
    text += fmt::format("[generators.g]\nmachines = [{}]\nscript = 'true'\n", names);
    for (std::size_t i = 0; i < secrets; ++i) text += fmt::format("files.secret-{} = {{}}\n", i);
    write("vmcred.toml", text);
    write("key.txt", std::string(user.identity.text()) + "\n", 0600);
    write("sops/users/bench/key.json", store::print_key_file({{.type = "age", .text = user.recipient}}));

    const store::Record record = record_of(secrets);
    const store::Repository repository = must(store::Repository::open(folder.path()));
    for (std::size_t i = 0; i < machines; ++i) {
      const std::string machine = fmt::format("m-{}", i);
      const age::KeyPair pair = age::generate_key_pair();
      if (i == 0) write("host/var/lib/vmcred/key.txt", std::string(pair.identity.text()) + "\n", 0600);
      write(fmt::format("sops/machines/{}/key.json", machine),
            store::print_key_file({{.type = "age", .text = pair.recipient}}));
      store::Principals principals(repository);
      store::Sealer sealer(principals);
      const std::string generator = fmt::format("vars/per-machine/{}/g", machine);
      write(generator + "/.vmcred.json", store::print_record(record));
      store::Links links;
      links.add(store::Kind::user, "bench");
      links.add(store::Kind::machine, machine);
      std::string sealed;
      for (std::size_t k = 0; k < secrets; ++k) {
        const std::string place = fmt::format("{}/secret-{}", generator, k);
        // Where there are thousands of machines, ten equal ciphertexts each are looked at as different ones would be.
        if (k == 0 || machines == 1) sealed = must(sealer.seal(Secret::copy_of(fmt::format("{:044}", k)), links));
        write(place + "/secret", sealed);
        link(place, store::Kind::user, "bench");
        link(place, store::Kind::machine, machine);
      }
    }
  }

 private:
  static store::Record record_of(std::size_t secrets) {
    const std::string script = hex_encode(sha256(bytes_of("true")));
    store::Record record{.script = script, .generated = rfc3339(real_clock().now())};
    for (std::size_t i = 0; i < secrets; ++i) record.files[fmt::format("secret-{}", i)] = store::Form::secret;
    return record;
  }
  void write(const std::string& path, std::string_view bytes, mode_t mode = 0644) const {
    const std::string whole = join_path(folder.path(), path);
    must(make_folders(whole.substr(0, whole.rfind('/'))));
    const Fd fd(::open(whole.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd) stop("cannot write " + whole);
    must(write_all(fd, bytes));
  }
  void link(const std::string& place, store::Kind kind, const std::string& name) const {
    const std::string path = join_path(folder.path(), fmt::format("{}/{}", place, store::plural(kind)));
    if (::mkdir(path.c_str(), 0755) != 0 ||
        ::symlink(store::link_target(place, kind, name).c_str(), (path + "/" + name).c_str()) != 0)
      stop("cannot link " + path);
  }
};

}  // namespace vmcred::bench
