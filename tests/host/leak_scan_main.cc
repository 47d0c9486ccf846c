// vmcred-leak-scan: the search of base/leak_scan.h for the tests, over a whole machine.
//   vmcred-leak-scan [--open-files] [--no-processes] --secret NAME=FILE... [--folder DIR]... [--skip PATH]...
// Prints what was found and exits with 3 when there was anything, 4 when something could not be read.
#include <cstdio>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/leak_scan.h"

namespace {

constexpr std::size_t kMaxSecret = 1UL << 20;

int complain(const std::string& text) {
  std::fprintf(stderr, "vmcred-leak-scan: %s\n", text.c_str());
  return 2;
}

}  // namespace

int main(int count, char** words) {
  vmcred::LeakPatterns patterns;
  vmcred::LeakPlaces places;
  const std::vector<std::string> arguments(words + 1, words + count);
  std::size_t secrets = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--open-files") {
      places.open_files = true;
    } else if (word == "--no-processes") {
      places.proc.clear();
    } else if (i + 1 == arguments.size()) {
      return complain("'" + word + "' needs a value");
    } else if (word == "--folder") {
      places.folders.push_back(arguments[++i]);
    } else if (word == "--skip") {
      places.skip.push_back(arguments[++i]);
    } else if (word == "--secret") {
      const std::string& pair = arguments[++i];
      const auto value = vmcred::read_secret(pair.substr(pair.find('=') + 1), kMaxSecret);
      if (!value) return complain(value.error().message);
      if (!patterns.add(pair.substr(0, pair.find('=')), *value))
        return complain("'" + pair + "' cannot be searched for");
      ++secrets;
    } else {
      return complain("unknown word '" + word + "'");
    }
  }
  const vmcred::LeakReport report = vmcred::scan_for_leaks(patterns, places);
  std::printf("%zu secrets, %zu places, %llu bytes: argv %zu, environ %zu, files %zu, unreadable %zu\n", secrets,
              report.searched, static_cast<unsigned long long>(report.bytes), report.argv, report.environ, report.files,
              report.unreadable);
  for (const vmcred::Leak& leak : report.leaks) {
    std::printf("leak: '%s' as %s in %s at %llu\n", leak.secret.c_str(), leak.encoding.c_str(), leak.place.c_str(),
                static_cast<unsigned long long>(leak.offset));
  }
  for (const std::string& place : report.unreadable_places) std::printf("unreadable: %s\n", place.c_str());
  return !report.clean() ? 3 : report.unreadable != 0 ? 4 : 0;
}
