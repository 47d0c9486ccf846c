// Prints what vmcred's reader makes of folders of units, for unit_trees.py:
//   unit_reader VERSION FOLDER... <INSTANCES     "unit NAME FILE...", "ignored NAME FILE LINE"
#include <fmt/core.h>

#include <cstdlib>
#include <iostream>

#include "base/file.h"
#include "unitfile/credential_lines.h"
#include "unitfile/tree.h"

int main(int count, char** words) {
  using namespace vmcred;
  std::vector<unitfile::Folder> folders;
  for (int i = 2; i < count; ++i) {
    const auto names = list_folder(words[i]);
    if (!names) continue;
    unitfile::Folder& folder = folders.emplace_back(unitfile::Folder{.path = words[i]});
    for (const std::string& name : *names) {
      if (!name.ends_with(".d")) {
        folder.files.push_back(name);
      } else if (auto files = list_folder(join_path(words[i], name))) {
        folder.drop_ins.emplace(name, *std::move(files));
      }
    }
  }
  // Instances that are asked for on standard input are units as if they had drop-ins of their own.
  for (std::string name; std::getline(std::cin, name);)
    if (!folders.empty()) folders.back().drop_ins.try_emplace(name + ".d");
  for (const unitfile::UnitFiles& unit : unitfile::units_of(folders, ".service")) {
    std::vector<unitfile::UnitText> texts;
    const auto fragment = read_file(unit.fragment, 1 << 20);
    if (!fragment || fragment->empty()) continue;
    texts.push_back({unit.fragment, *fragment});
    std::string line = "unit\t" + unit.name + "\t" + unit.fragment;
    for (const std::string& path : unit.drop_ins) {
      const auto text = read_file(path, 1 << 20);
      if (!text || text->empty()) continue;  // a mask
      texts.push_back({path, *text});
      line += "\t" + path;
    }
    fmt::print("{}\n", line);
    for (const auto& each : unitfile::credential_lines(texts, unit.name, std::atoi(words[1])).ignored)
      if (each.kind != unitfile::LineKind::import || std::atoi(words[1]) >= unitfile::kFirstWithImport)
        fmt::print("ignored\t{}\t{}\t{}\n", unit.name, each.file, each.line);
  }
  return 0;
}
