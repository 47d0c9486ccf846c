// What is stored compared with what is declared, generator by generator; and from that, what `vars generate` will run.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "generate/graph.h"
#include "store/record.h"
#include "store/repository.h"

namespace vmcred::generate {

enum class State : std::uint8_t {
  fresh,
  stale,    ///< made from another script, other inputs or other dependencies: reported, not remade
  invalid,  ///< its `validation` changed: remade
  partial,  ///< some of its files exist: the user chooses
  missing,  ///< none of its files exists: made
  damaged,  ///< what stands in its folder cannot be looked at for what it should be: refused where it is asked for or
            ///< needed
};
std::string_view word(State state);

struct Status {
  State state = State::fresh;
  std::vector<std::string> reasons = {};           ///< "its script changed", …: each completes "because"
  std::vector<std::string> absent = {};            ///< declared files that are not stored
  std::map<std::string, store::Form> stored = {};  ///< the others, and how
  std::vector<std::string> undeclared = {};        ///< what else lies in its folder and may hold a value
  std::optional<store::Record> record = {};
  bool due = false;                  ///< older than rotate-after
  std::optional<Error> damage = {};  ///< of a damaged one: what it is, with the remedy
};

/// Whether only the files of a generator are known, because they were found in a store (store/inferred.h): nothing can
/// be said to be stale then, and nothing can be made.
[[nodiscard]] bool script_unknown(const declare::Generator& generator);

/// Called for each task that is not damaged, while its folder is open.
using Visit = std::function<void(std::size_t task, const Status& status, const store::GeneratorFolder& folder)>;
/// Makes one for each thread.
using Visits = std::function<Visit()>;

/// The status of each task of the graph, in its order. Reads no plaintext and needs no key. `visits`: who else wants to
/// look.
std::vector<Status> survey(const Graph& graph, const store::Repository& repository, const Clock& clock = real_clock(),
                           const Visits& visits = {});

/// What is stored and not declared, sorted.
Result<std::vector<store::VarId>> orphans(const Graph& graph, const std::vector<Status>& statuses,
                                          const store::Repository& repository);

/// What was asked for.
struct Request {
  std::vector<std::string> machines = {};    ///< empty: all
  std::vector<std::string> generators = {};  ///< empty: all
  bool stale = false;                        ///< remake stale ones too
  bool only_missing = false;                 ///< of partial ones, make the missing files and keep the others
  bool regenerate = false;  ///< remake partial ones, and those that `generators` names whatever their state
};

/// One task to run, and why.
struct Step {
  std::size_t task = 0;
  std::vector<std::string> files = {};  ///< the only ones to store; none: all that it makes
  std::string why;
};

/// The steps in the order of the graph. Missing dependencies come along. Partial generators without a choice are
/// refused (`mismatch`), all of them in one message; so are unknown names (`not_found`), and damaged ones with what
/// they are.
Result<std::vector<Step>> make_plan(const Graph& graph, const std::vector<Status>& statuses,
                                    const declare::Declaration& declaration, const Request& request);

/// A value rotated on purpose, and everything that is made from it; damaged ones are refused.
Result<std::vector<Step>> rotation_plan(const Graph& graph, const std::vector<Status>& statuses,
                                        const std::vector<std::size_t>& tasks);

/// SHA-256 hex of the canonical validation JSON; empty when there is none.
std::optional<std::string> wanted_validation(const declare::Generator& generator);
/// SHA-256 hex of the script's text. Versions of packages do not enter it, so that their update makes nothing stale.
std::string script_digest(const declare::Generator& generator);
/// The runtime inputs by name, again without versions.
std::vector<std::string> declared_inputs(const declare::Generator& generator);

}  // namespace vmcred::generate
