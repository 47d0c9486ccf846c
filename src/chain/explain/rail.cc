// One credential from top to bottom, with every name and transformation.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/spelling.h"
#include "chain/explain/pen.h"

namespace vmcred::chain::explain {
namespace {

std::string wrapped(std::string_view text, std::size_t width) {
  std::string all;
  std::size_t used = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (used > 0 && width > 0 && used + 1 + columns_of(word) > width) {
      all += '\n';
      used = 0;
    } else if (used > 0) {
      all += ' ';
      ++used;
    }
    all += word;
    used += columns_of(word);
    at = end + 1;
  }
  return all;
}

/// Each line of `text` behind `front`.
std::string behind(std::string_view front, const std::string& text) {
  std::string all;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    all += fmt::format("{}{}\n", front, text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

}  // namespace

std::string rail_text(const Picture& picture, const Chains& vm, const Chain& chain, const Screen& screen) {
  const Pen pen{screen.color};
  const std::vector<Station> all = stations(picture, vm, chain);
  const std::size_t width = screen.width == 0 ? 0 : std::max<std::size_t>(screen.width, 24) - 4;
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Station& station = all[i];
    const bool last = i + 1 == all.size();
    text += fmt::format("{} {}  {}\n", pen.mark(station.mood), pen.dim(fmt::format("{:<9}", step_name(station.step))),
                        pen.bold(tame(station.name)));
    const std::string front = last ? "    " : pen.dim("│") + "   ";
    for (const std::string& says : station.says) text += behind(front, wrapped(tame(says), width));
    for (const Mark& mark : chain.marks) {
      if (mark.step != station.step) continue;
      const Finding& finding = picture.findings.at(mark.finding);
      const Mood mood = finding.level == Level::error     ? Mood::broken
                        : finding.level == Level::warning ? Mood::warning
                                                          : Mood::unknown;
      text += behind(
          front + pen.mood(mood, "┃") + " ",
          wrapped(tame(fmt::format("{} {}: {}", level_name(finding.level), code_name(finding.code), finding.message)),
                  width == 0 ? 0 : width - 2));
      if (!finding.hint.empty())
        text += behind(front + pen.mood(mood, "┃") + " ",
                       wrapped(tame("help: " + finding.hint), width == 0 ? 0 : width - 2));
    }
    if (!last) text += pen.dim("▼") + (station.onward.empty() ? "" : "  " + pen.dim(tame(station.onward))) + "\n";
  }
  return text;
}

std::string head_text(const Chains& vm, Pen pen) {
  return fmt::format("{} {}\n", pen.bold(vm.vm),
                     pen.dim(fmt::format("on {}: {}; {}", vm.machine, hardware_of(vm), tame(running_of(vm)))));
}

Result<std::string> chain_text(const Picture& picture, const std::string& credential, const Screen& screen) {
  std::string text;
  std::vector<std::string> names;
  for (const Chains& vm : picture.vms) {
    for (const Chain& chain : vm.chains) {
      names.push_back(chain.name);
      if (credential != chain.name && credential != chain.guest && credential != chain.host) continue;
      text += head_text(vm, Pen{screen.color}) + "\n" + rail_text(picture, vm, chain, screen);
    }
  }
  if (text.empty())
    return hint(fail(Errc::not_found, "no credential '{}' in the picture", credential),
                did_you_mean(credential, names));
  return text;
}

}  // namespace vmcred::chain::explain
