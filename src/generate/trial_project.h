// For the tests of generating: a small project with one user, in memory.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "generate/run.h"
#include "matchers.h"
#include "store/vault.h"

namespace vmcred::generate {

/// Two generators of machine "web": `made` copies what `base` makes.
struct TrialProject {
  TemporaryFolder folder = TemporaryFolder::make("/dev/shm").value();
  store::Repository repository = store::Repository::open(folder.path()).value();
  age::KeyPair pair = age::generate_key_pair();
  store::KeyRing keys = store::KeyRing::from_text(pair.identity, "a test").value();
  declare::Declaration declaration;

  TrialProject() {
    const store::Lock lock = store::Lock::take(repository, Wait::yes).value();
    store::write_user(repository, lock, "alice", {{"age", pair.recipient}}).value();
    declaration.machines = {{"web", {.name = "web"}}};
    add({.name = "base", .script = R"(printf one > "$out/key")", .files = {{"key", {.name = "key"}}}});
    add({.name = "made",
         .script = R"(cat "$in/base/key" > "$out/copy")",
         .dependencies = {"base"},
         .files = {{"copy", {.name = "copy"}}}});
  }
  void add(declare::Generator generator) {
    generator.machines = {"web"};
    declaration.generators.insert_or_assign(generator.name, generator);
  }
  [[nodiscard]] Result<> generate(const Request& request = {}) const {
    const store::Lock lock = store::Lock::take(repository, Wait::yes).value();
    TRY_LET(const Graph graph, build_graph(declaration));
    const std::vector<Status> statuses = survey(graph, repository);
    TRY_LET(const std::vector<Step> steps, make_plan(graph, statuses, declaration, request));
    return run_plan(graph, statuses, steps, {},
                    {.declaration = declaration, .repository = repository, .lock = lock, .keys = keys})
        .result;
  }
  [[nodiscard]] std::vector<std::string> states() const {
    const Graph graph = build_graph(declaration).value();
    const std::vector<Status> statuses = survey(graph, repository);
    std::vector<std::string> list;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      std::string text = graph.tasks[i].id.generator + " " + std::string(word(statuses[i].state));
      for (const std::string& reason : statuses[i].reasons) text += ", " + reason;
      list.push_back(text);
    }
    return list;
  }
  [[nodiscard]] std::string value(const std::string& generator, const std::string& file) const {
    const store::GeneratorId id{.placement = {.sharing = declare::Sharing::per_machine, .owner = "web"},
                                .generator = generator};
    const Result<Secret> value = repository.read_var({.generator = id, .file = file}, keys);
    return value ? std::string(value->text()) : value.error().message;
  }
};

}  // namespace vmcred::generate
