#include "nix/messages.h"

#include "matchers.h"

namespace vmcred::nix {
namespace {

using ::testing::ElementsAre;
using testing::HasSubstr;

TEST(NixMessages, TakesSentenceAndPlace) {
  const Error error = error_of(
      "evaluating file '/p/host.nix'\nerror: attribute 'fils' missing\n\n       at /p/host.nix:1:11:\n\n"
      "            1| { z = (x: x.fils) {};\n             |           ^\n",
      {"files"});
  EXPECT_EQ(error.message, "/p/host.nix:1:11: attribute 'fils' missing");
  EXPECT_EQ(error.hint, "did you mean 'files'?");
}

// Since 2.20 the traces come first and the sentence last.
TEST(NixMessages, TakesTheInnermostErrorOfNewerVersions) {
  const Error error = error_of(
      "error:\n       \u2026 while evaluating the attribute 'a'\n         at /p/host.nix:9:1:\n"
      "            8| x\n\n       error: undefined variable 'q'\n       at /p/host.nix:3:7:\n"
      "            2| {\n",
      {});
  EXPECT_EQ(error.message, "/p/host.nix:3:7: undefined variable 'q'");
}

TEST(NixMessages, LeavesPlacesInOurOwnTextOut) {
  EXPECT_EQ(error_of("error: no good\n\n       at \u00abstdin\u00bb:3:4:\n", {}).message, "no good");
}

TEST(NixMessages, TakesOurOwnMessageWithItsRemedy) {
  const Error error =
      error_of(R"(error: vmcred:{"candidates":["files"],"hint":"","message":"no option 'file'","position":)"
               R"({"column":3,"file":"/p/host.nix","line":2},"word":"file"}:vmcred)",
               {});
  EXPECT_EQ(error.message, "/p/host.nix:2:3: no option 'file'");
  EXPECT_EQ(error.hint, "did you mean 'files'?");
}

TEST(NixMessages, SaysThatAnEvaluationHasNoNetwork) {
  for (const std::string_view text :
       {"error: unable to download 'https://x.org/y': Couldn't connect to server (7)\n",
        "error: unable to download 'https://x.org/y': Couldn't resolve host name (6)\n"}) {
    EXPECT_THAT(error_of(text, {}).hint, HasSubstr("without network"));
  }
}

// Debian 12's nix with the lib of a nixpkgs of 2026.
TEST(NixMessages, SaysThatANixIsTooOldForANixpkgs) {
  const Error error =
      error_of("error: attribute 'convertHash' missing\n\n       at /src/nixpkgs/lib/trivial.nix:9:5:\n", {});
  EXPECT_THAT(error.message, HasSubstr("this nix is too old for that nixpkgs, whose lib needs 2.18 or newer"));
  EXPECT_THAT(error.message, HasSubstr("/src/nixpkgs/lib/trivial.nix:9:5"));
  EXPECT_THAT(error.hint, HasSubstr("install a newer nix"));
  EXPECT_EQ(error_of("error: attribute 'convertHashes' missing\n", {}).message, "attribute 'convertHashes' missing");
}

TEST(NixMessages, SaysSomethingWhenNixSaidNothing) {
  EXPECT_THAT(error_of("", {}).message, HasSubstr("without a message"));
  EXPECT_THAT(error_of(R"(vmcred:{"hint":""}:vmcred)", {}).message, HasSubstr("without a message"));
}

TEST(NixMessages, PutsNothingOnATerminalButAShortLine) {
  EXPECT_EQ(error_of("error: red \x1b[31m text\n", {}).message, "red  [31m text");
  const std::string message = error_of("error: " + std::string(kMaxMessage - 1, 'x') + "\u00fc\u00fc\n", {}).message;
  EXPECT_EQ(message, std::string(kMaxMessage - 1, 'x') + "\u2026");
}

TEST(NixMessages, KnowsWhatWasRead) {
  const Reads reads = reads_of(
      "evaluating file '/p/host.nix'\ntrace: vmcred-read:/p/vars/x/value\nwarning: y\nevaluating file '/p/it's.nix'\n");
  EXPECT_THAT(reads.evaluated, ElementsAre("/p/host.nix", "/p/it's.nix"));
  EXPECT_THAT(reads.values, ElementsAre("/p/vars/x/value"));
}

}  // namespace
}  // namespace vmcred::nix
