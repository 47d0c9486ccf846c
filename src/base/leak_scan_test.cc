#include "base/leak_scan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/fd.h"
#include "base/process.h"
#include "matchers.h"

namespace vmcred {
namespace {

using testing::secret;
using testing::TestFolder;

constexpr std::string_view kValue = "correct-horse+battery/staple=44!";

LeakPatterns patterns_of(std::string_view value) {
  LeakPatterns patterns;
  EXPECT_TRUE(patterns.add("host-api-key", secret(value)));
  return patterns;
}

/// The encoding in which `text` holds the value, or "".
std::string found(const LeakPatterns& patterns, std::string_view text) {
  LeakPatterns::Match match;
  return patterns.find(bytes_of(text), &match) ? std::string(match.encoding) : "";
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TEST(LeakPatterns, FindsTheValueRawAndInHexAndBase64) {
  const LeakPatterns patterns = patterns_of(kValue);
  EXPECT_EQ(found(patterns, "x" + std::string(kValue)), "raw");
  EXPECT_EQ(found(patterns, "yyy" + hex_encode(bytes_of(kValue))), "hex");
  EXPECT_EQ(found(patterns, "z" + upper(hex_encode(bytes_of(kValue)))), "hex");
  for (std::size_t before = 0; before < 7; ++before) {
    for (std::size_t after = 0; after < 4; ++after) {
      const std::string text = std::string(before, 'p') + std::string(kValue) + std::string(after, 's');
      EXPECT_EQ(found(patterns, "key=" + base64_encode(bytes_of(text)) + "\n"), "base64") << before << " " << after;
    }
  }
}

TEST(LeakPatterns, FindsEveryWindowOfSixteenBytesAndNoShorterOne) {
  const LeakPatterns patterns = patterns_of(kValue);
  for (std::size_t at = 0; at + 16 <= kValue.size(); ++at) {
    for (std::size_t before = 0; before < 9; ++before) {
      const std::string text = std::string(before, '#') + std::string(kValue.substr(at, 16)) + "#######";
      EXPECT_EQ(found(patterns, text), "raw") << at << " " << before;
    }
    EXPECT_EQ(found(patterns, "#####" + std::string(kValue.substr(at, 15)) + "#######"), "");
  }
}

TEST(LeakPatterns, FindsAShortValueWhole) {
  const LeakPatterns patterns = patterns_of("hunter22!");
  EXPECT_EQ(found(patterns, "pass=hunter22!;"), "raw");
  EXPECT_EQ(found(patterns, "pass=hunter22"), "");
  EXPECT_EQ(found(patterns, "x" + hex_encode(bytes_of("hunter22!"))), "hex");
}

TEST(LeakPatterns, RefusesWhatAnythingWouldMatch) {
  LeakPatterns patterns;
  EXPECT_FALSE(patterns.add("short", secret("hunter2")));
  EXPECT_FALSE(patterns.add("zeros", secret(std::string(64, '\0'))));
  EXPECT_EQ(found(patterns, "hunter2" + std::string(4096, '\0')), "");
}

TEST(LeakPatterns, DoesNotTakeThePublicLinesOfAKeyFileForSecrets) {
  const LeakPatterns patterns = patterns_of(
      "# created: 2026-01-01T00:00:00Z\n# public key: age1qqqzry9x8gf2tvdw0s3jn54khce6mua7l\n"
      "AGE-SECRET-KEY-1VERYSECRETINDEEDNOBODYMAYKNOW\n");
  EXPECT_EQ(found(patterns, "recipient age1qqqzry9x8gf2tvdw0s3jn54khce6mua7l"), "");
  EXPECT_EQ(found(patterns, "SECRET-KEY-1VERYSECRETINDEED"), "raw");
}

TEST(LeakPatterns, TellsWhichSecretItWasAndWhere) {
  LeakPatterns patterns;
  patterns.add("first", secret("0123456789abcdefghij"));
  patterns.add("second", secret("ABCDEFGHIJKLMNOPQRST"));
  LeakPatterns::Match match;
  ASSERT_TRUE(patterns.find(bytes_of("......CDEFGHIJKLMNOPQR...."), &match));
  EXPECT_EQ(match.name, "second");
  EXPECT_EQ(match.offset, 6U);
  EXPECT_EQ(match.length, 16U);
}

RC_GTEST_PROP(LeakPatternsProperty, AnyWindowOfAnyEncodingIsFound, (const std::vector<std::uint8_t>& head)) {
  const auto byte = rc::gen::resize(100, rc::gen::inRange<int>(0, 256));
  const auto size = *rc::gen::inRange<std::size_t>(16, 80);
  const auto drawn = *rc::gen::container<std::vector<int>>(size, byte);
  const std::vector<std::uint8_t> value(drawn.begin(), drawn.end());
  LeakPatterns patterns;
  RC_PRE(patterns.add("v", Secret::copy_of(Bytes(value))));
  std::vector<std::uint8_t> text = head;
  text.insert(text.end(), value.begin(), value.end());
  std::string shown = std::string(text_of(text));
  const auto how = *rc::gen::inRange(0, 3);
  if (how == 1) shown = hex_encode(text);
  if (how == 2) shown = base64_encode(text);
  RC_ASSERT(!found(patterns, shown).empty());
}

TEST(LeakScan, FindsSecretsInFilesAndCountsEachFileOnce) {
  const TestFolder folder;
  folder.write("deep/er/log", std::string(kValue) + " and again " + std::string(kValue));
  folder.write("clean", "nothing here");
  ASSERT_EQ(::link((folder / "deep/er/log").c_str(), (folder / "same").c_str()), 0);
  ASSERT_EQ(::symlink("/proc/self/mem", (folder / "link").c_str()), 0);
  const LeakReport report = scan_for_leaks(patterns_of(kValue), {.proc = "", .folders = {folder.path()}});
  EXPECT_EQ(report.files, 1U);
  EXPECT_EQ(report.searched, 2U);
  EXPECT_EQ(report.unreadable, 0U);
  ASSERT_EQ(report.leaks.size(), 1U);
  EXPECT_EQ(report.leaks[0].place, folder / "deep/er/log");
  EXPECT_EQ(report.leaks[0].secret, "host-api-key");
}

TEST(LeakScan, FindsASecretAtAnyPlaceOfALargeFile) {
  const TestFolder folder;
  for (const std::size_t at : {(1UL << 20) - 20, (1UL << 20) - 3, (1UL << 20) + 64 - 7, (2UL << 20) - 1}) {
    std::string text(at, '.');
    text += kValue;
    text += std::string(100, '.');
    const std::string path = folder.write("large", text);
    const LeakReport report = scan_for_leaks(patterns_of(kValue), {.proc = "", .folders = {path}});
    ASSERT_EQ(report.leaks.size(), 1U) << at;
    EXPECT_EQ(report.leaks[0].offset, at);
  }
}

TEST(LeakScan, LeavesOutWhatIsToBeSkipped) {
  const TestFolder folder;
  folder.write("credentials/api-key", kValue);
  folder.write("credentials-old/api-key", kValue);
  const LeakReport report =
      scan_for_leaks(patterns_of(kValue), {.proc = "", .folders = {folder.path()}, .skip = {folder / "credentials"}});
  EXPECT_EQ(report.files, 1U);
}

TEST(LeakScan, CountsWhatItCannotRead) {
  const TestFolder folder;
  folder.write("1/cmdline", "x");
  folder.write("1/comm", "init\n");
  ASSERT_EQ(::symlink("loop", (folder / "1/environ").c_str()), 0);
  ASSERT_EQ(::symlink("loop", (folder / "1/loop").c_str()), 0);
  const LeakReport report = scan_for_leaks(patterns_of(kValue), {.proc = folder.path()});
  EXPECT_EQ(report.unreadable, 1U);
  ASSERT_EQ(report.unreadable_places.size(), 1U);
  EXPECT_THAT(report.unreadable_places[0], testing::HasSubstr("1/environ (init)"));
}

TEST(LeakScan, FindsASecretInTheArgumentsEnvironmentAndMemoryFilesOfAProcess) {
  auto memory = make_memfd("leak");
  ASSERT_TRUE(memory);
  ASSERT_TRUE(write_all(*memory, kValue));
  auto pipes = make_pipe();
  ASSERT_TRUE(pipes);
  auto child = spawn({.argv = {"/bin/sh", "-c", "read line", "sh", "key=" + std::string(kValue)},
                      .environment = std::vector<std::string>{"KEY=" + base64_encode(bytes_of(kValue))},
                      .descriptors = {{0, pipes->first.get()}, {7, memory->get()}}});
  ASSERT_TRUE(child);
  const Fd copy = std::move(*memory);
  const std::string process = "/proc/" + std::to_string(child->pid());
  const TestFolder proc;
  ASSERT_EQ(::symlink(process.c_str(), (proc / std::to_string(child->pid())).c_str()), 0);
  const LeakReport report = scan_for_leaks(patterns_of(kValue), {.proc = proc.path(), .open_files = true});
  EXPECT_EQ(report.argv, 1U);
  EXPECT_EQ(report.environ, 1U);
  EXPECT_EQ(report.files, 1U);
  pipes->second = Fd();
  (void)child->wait();
}

TEST(LeakScan, NeverFindsItself) {
  const LeakPatterns patterns = patterns_of(kValue);
  const TestFolder proc;
  ASSERT_EQ(::symlink("/proc/self", (proc / std::to_string(::getpid())).c_str()), 0);
  const LeakReport report = scan_for_leaks(patterns, {.proc = proc.path(), .open_files = true});
  EXPECT_TRUE(report.clean());
  EXPECT_GE(report.searched, 2U);
}

}  // namespace
}  // namespace vmcred
