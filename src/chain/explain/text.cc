// Chains drawn for a terminal.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "chain/explain/pen.h"
#include "chain/explain/view.h"
#include "chain/report.h"

namespace vmcred::chain::explain {
namespace {

constexpr std::size_t kBarColumns = 24;
constexpr std::array<std::string_view, kSteps> kTitles = {"GENERATOR", "VAR", "HOST", "CHANNEL", "GUEST", "SERVICE"};

/// One cell of the drawing: what a station is called here, and the codes of its findings.
struct Cell {
  bool there = false;
  Mood mood = Mood::fine;
  std::string name = {};
  std::string codes = {};
  [[nodiscard]] std::size_t columns() const { return there ? 2 + columns_of(name) + columns_of(codes) : 0; }
};

struct Row {
  std::array<Cell, kSteps> cells = {};
  std::vector<Cell> more_services = {};  ///< of the same credential, below the first
};

std::string short_name(const Chain& chain, const Station& station) {
  switch (station.step) {
    case Step::store:
      return chain.file;
    case Step::channel:
      return chain.channel.empty() ? "none"
             : chain.size          ? fmt::format("{} {} B", chain.channel, chain.used)
                                   : chain.channel;
    case Step::service:
      return chain.consumers.empty() ? station.name : chain.consumers.front().service;
    default:
      return station.name;
  }
}

Row row_of(const Picture& picture, const Chains& vm, const Chain& chain) {
  Row row;
  for (const Station& station : stations(picture, vm, chain)) {
    Cell& cell = row.cells.at(static_cast<std::size_t>(station.step));
    cell = {.there = true, .mood = station.mood, .name = tame(short_name(chain, station))};
  }
  for (const Mark& mark : chain.marks) {
    Cell& cell = row.cells.at(static_cast<std::size_t>(mark.step));
    const Finding& finding = picture.findings.at(mark.finding);
    if (cell.there && finding.level != Level::note) cell.codes += " " + code_name(finding.code);
  }
  for (std::size_t i = 1; i < chain.consumers.size(); ++i)
    row.more_services.push_back({.there = true,
                                 .mood = mood_of(chain.consumers[i], row.cells.back().mood),
                                 .name = tame(chain.consumers[i].service)});
  if (!chain.consumers.empty()) row.cells.back().mood = mood_of(chain.consumers.front(), row.cells.back().mood);
  return row;
}

/// The drawing of one vm: rows, and where each column ends.
class Drawing {
 public:
  Drawing(const Picture& picture, const Chains& vm, Pen pen) : vm_(vm), pen_(pen) {
    for (const Chain& chain : vm.chains) rows_.push_back(row_of(picture, vm, chain));
    for (std::size_t i = rows_.size(); i-- > 1;)
      if (same_generator(i - 1, i)) join_generator(rows_[i - 1].cells[0], rows_[i].cells[0]);
    measure();
  }

  /// Leaves out columns that follow from others until the drawing is not wider than that; false when it stays wider.
  bool fit(std::size_t width) {
    for (const Step step : {Step::host, Step::channel})
      if (columns() > width) leave_out(static_cast<std::size_t>(step));
    return columns() <= width;
  }

  [[nodiscard]] std::size_t columns() const { return start_of(kSteps - 1) + widths_[kSteps - 1]; }

  [[nodiscard]] std::string text() const {
    std::string text = title_line();
    for (std::size_t i = 0; i < rows_.size(); ++i) text += chain_lines(i);
    return text;
  }

 private:
  /// A column is its widest cell, a blank, and four for the line to the next.
  static constexpr std::size_t kGap = 5;
  void measure() {
    for (std::size_t c = 0; c < kSteps; ++c) {
      if (left_out_[c]) continue;
      widths_[c] = 0;
      for (const Row& row : rows_) widths_[c] = std::max(widths_[c], row.cells[c].columns());
      if (widths_[c] > 0) widths_[c] = std::max(widths_[c], kTitles[c].size() + 2);
    }
    for (const Row& row : rows_)
      for (const Cell& cell : row.more_services) widths_[kSteps - 1] = std::max(widths_[kSteps - 1], cell.columns());
  }

  /// What is the matter in the column is told in the next.
  void leave_out(std::size_t column) {
    left_out_[column] = true;
    widths_[column] = 0;
    for (Row& row : rows_) {
      Cell& cell = row.cells[column];
      Cell& next = row.cells[column + 1];
      if (cell.mood >= Mood::warning) next.mood = std::max(next.mood, cell.mood);
      next.codes = cell.codes + next.codes;
      cell = {};
    }
    measure();
  }

  [[nodiscard]] std::size_t next_of(std::size_t column) const {
    do ++column;
    while (column + 1 < kSteps && widths_[column] == 0);
    return column;
  }

  [[nodiscard]] std::size_t start_of(std::size_t column) const {
    std::size_t all = 0;
    for (std::size_t c = 0; c < column; ++c) all += widths_[c] == 0 ? 0 : widths_[c] + kGap;
    return all;
  }

  [[nodiscard]] std::string title_line() const {
    std::string line;
    for (std::size_t c = 0; c < kSteps; ++c)
      if (widths_[c] > 0) line += fmt::format("  {:<{}}", kTitles[c], widths_[c] + kGap - 2);
    line.erase(line.find_last_not_of(' ') + 1);
    return pen_.bold(line) + "\n";
  }

  [[nodiscard]] bool same_generator(std::size_t a, std::size_t b) const {
    if (b >= rows_.size()) return false;
    const Chain& one = vm_.chains[a];
    const Chain& other = vm_.chains[b];
    return one.origin == Origin::var && other.origin == Origin::var && one.generator == other.generator;
  }

  /// A generator is drawn once, with what is the matter with any of its files.
  static void join_generator(Cell& above, Cell& cell) {
    above.mood = std::max(above.mood, cell.mood);
    if (above.codes.find(cell.codes) == std::string::npos) above.codes += cell.codes;
    cell.codes.clear();
  }

  [[nodiscard]] std::string draw_cell(const Cell& cell) const {
    return pen_.mark(cell.mood) + " " + cell.name + pen_.mood(cell.mood, cell.codes);
  }

  [[nodiscard]] std::string chain_lines(std::size_t i) const {
    const Row& row = rows_[i];
    const bool above = i > 0 && same_generator(i - 1, i);
    const bool below = same_generator(i, i + 1);
    std::string text;
    std::string_view line = " ";  // nothing flows before the first station, and nothing whole after a broken one
    for (std::size_t c = 0; c < kSteps; ++c) {
      if (widths_[c] == 0) continue;
      const Cell& cell = row.cells[c];
      if (cell.there) line = cell.mood == Mood::broken || line == "╌" ? "╌" : "─";
      if (c == 0 && above) {
        text += std::string(widths_[0] + 2, ' ') + pen_.dim(below ? "├─ " : "╰─ ");
        continue;
      }
      if (cell.there) text += draw_cell(cell);
      if (c + 1 == kSteps) break;
      const std::size_t left = widths_[c] - cell.columns();
      const bool forks = (c == 0 && below) || (c + 2 == kSteps && !row.more_services.empty());
      const std::string_view end = row.cells[next_of(c)].there ? " " : line;
      text += pen_.dim(fmt::format("{}{}{}{}{}{}", cell.there ? " " : line, repeated(line, left), line,
                                   forks ? "┬" : line, line, end));
    }
    text += "\n";
    for (std::size_t k = 0; k < row.more_services.size(); ++k) text += more_service(row, k, below);
    return text;
  }

  /// A further service of the same credential, below the first.
  [[nodiscard]] std::string more_service(const Row& row, std::size_t k, bool below) const {
    const std::size_t fork = start_of(kSteps - 1) - 3;
    std::string text;
    std::size_t used = 0;
    if (below && widths_[0] > 0) {
      text = std::string(widths_[0] + 2, ' ') + pen_.dim("│");
      used = widths_[0] + 3;
    }
    text += std::string(fork - used, ' ') + pen_.dim(k + 1 == row.more_services.size() ? "╰─ " : "├─ ");
    return text + draw_cell(row.more_services[k]) + "\n";
  }

  const Chains& vm_;
  Pen pen_;
  std::vector<Row> rows_ = {};
  std::array<std::size_t, kSteps> widths_ = {};
  std::array<bool, kSteps> left_out_ = {};
};

std::string containers_text(const Chains& vm, Pen pen) {
  std::string text;
  std::size_t name = 0;
  for (const Container& each : vm.containers)
    if (each.allowed > 0) name = std::max(name, columns_of(each.name));
  for (const Container& each : vm.containers) {
    if (each.allowed == 0) continue;
    const std::size_t full = std::min(kBarColumns, (each.used * kBarColumns + each.allowed - 1) / each.allowed);
    const Mood mood = each.used > each.allowed ? Mood::broken : Mood::fine;
    text += fmt::format("  {:<{}}  {}{}  {} of {} bytes\n", each.name, name, pen.mood(mood, repeated("█", full)),
                        pen.dim(repeated("░", kBarColumns - full)), each.used, each.allowed);
  }
  return text;
}

std::string vm_text(const Picture& picture, const Chains& vm, const Screen& screen) {
  const Pen pen{screen.color};
  std::string text = head_text(vm, pen) + "\n";
  Drawing drawing(picture, vm, pen);
  if (vm.chains.empty()) {
    text += "  no credentials\n";
  } else if (screen.width == 0 || drawing.fit(screen.width)) {
    text += drawing.text();
  } else {
    for (const Chain& chain : vm.chains)
      text += fmt::format("{}\n", pen.bold(tame(chain.guest))) + rail_text(picture, vm, chain, screen) + "\n";
  }
  for (const LooseLine& line : vm.loose) {
    text += fmt::format("  {} {} loads '{}' as '{}', which the vm does not receive\n", pen.mark(Mood::broken),
                        tame(line.service), tame(line.guest), tame(line.id));
  }
  const std::string containers = containers_text(vm, pen);
  if (!containers.empty()) text += "\n" + containers;
  return text + "\n";
}

/// What the marks mean; the rarer ones where they are in the drawing.
std::string legend(std::string_view drawing) {
  return fmt::format("● as it should be{}{}   ○ not known here   ▲ warning   ✖ broken",
                     drawing.contains("◐") ? "   ◐ arrived" : "", drawing.contains("◆") ? "   ◆ older" : "");
}

}  // namespace

std::string picture_text(const Picture& picture, const Screen& screen) {
  const Pen pen{screen.color};
  std::string text;
  for (const Chains& vm : picture.vms) text += vm_text(picture, vm, screen);
  text += pen.dim(legend(text)) + "\n";
  if (!picture.findings.empty()) text += "\n" + findings_text(picture.findings, screen.color);
  return text;
}

}  // namespace vmcred::chain::explain
