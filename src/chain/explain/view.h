// A picture of chains for people and programs: drawn on a terminal, as JSON, as a graph for dot(1), as a page of HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "chain/explain/picture.h"

namespace vmcred::chain::explain {

/// How a step fares; a finding there makes it worse. `arrived` and `older` are of the guest alone
/// (supervise/arrival.h).
enum class Mood : std::uint8_t { fine, arrived, unknown, older, warning, broken };

/// One step of one chain in words.
struct Station {
  Step step = Step::generator;
  std::string name = {};
  std::vector<std::string> says = {};
  Mood mood = Mood::unknown;
  std::string onward = {};  ///< how the value gets from here to the next station
};

/// The stations of a chain in order. A static value has no store and no host; a file on the host has no generator.
std::vector<Station> stations(const Picture& picture, const Chains& vm, const Chain& chain);

/// How one of the services fares, where their station is in that mood.
Mood mood_of(const Consumer& consumer, Mood station);

/// "machine web, vm x" and the like: commas and an 'and'.
std::string listed(const std::vector<std::string>& names);

/// "qemu q35, guest systemd 252"
std::string hardware_of(const Chains& vm);
/// "not running", "running, every credential proven, generation 3", …
std::string running_of(const Chains& vm);

struct Screen {
  std::size_t width = 0;  ///< columns; 0: no end
  bool color = false;
};

/// All chains of each vm side by side: whole where the width allows, else without host and channel, else one below the
/// other; then how full the containers are, and the findings.
std::string picture_text(const Picture& picture, const Screen& screen);
/// One credential from top to bottom, with every name and transformation. `not_found` with the nearest name when no
/// credential of the vm has that name (its own, on the host, or in the guest).
Result<std::string> chain_text(const Picture& picture, const std::string& credential, const Screen& screen);

/// {folder, generation, vms: [{vm, …, credentials: [{name, generator, …, findings: [{finding, step}]}]}], findings}
Json picture_json(const Picture& picture);

/// A graph in the language of Graphviz.
std::string picture_dot(const Picture& picture);

/// One page that needs nothing else: no network, no other file. The data in it are picture_json's.
std::string picture_html(const Picture& picture, std::string_view version);

}  // namespace vmcred::chain::explain
