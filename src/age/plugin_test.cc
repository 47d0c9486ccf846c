#include "age/plugin.h"

#include <algorithm>

#include "age/age.h"
#include "age/test_support.h"
#include "base/file.h"
#include "matchers.h"

namespace vmcred::age {
namespace {

using namespace vmcred::testing;  // NOLINT

constexpr std::string_view kTestRecipient = "age1test10qdmzv9q";
constexpr std::string_view kTestIdentity = "AGE-PLUGIN-TEST-10Q32NLXM";

/// A plugin that "wraps" by XOR, counts its runs in a file and behaves as $MODE says.
constexpr std::string_view kPlugin = R"py(#!/usr/bin/python3
import base64, os, sys, time
mode = os.environ.get("MODE", "")
open(os.environ["RUNS"], "a").write(sys.argv[1] + "\n")
def b64(data): return base64.b64encode(data).decode().rstrip("=")
def unb64(text): return base64.b64decode(text + "=" * (-len(text) % 4))
def send(*words, body=b""):
    text = b64(body)
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    if len(text) % 64 == 0: lines.append("")
    sys.stdout.write("-> " + " ".join(words) + "\n" + "\n".join(lines) + "\n")
    sys.stdout.flush()
def receive():
    words = sys.stdin.readline().split()[1:]
    text = ""
    while True:
        line = sys.stdin.readline().rstrip("\n")
        text += line
        if len(line) < 64: return words, unb64(text)
def ask(*words, body=b""):
    send(*words, body=body)
    return receive()
commands = []
while not commands or commands[-1][0][0] != "done": commands.append(receive())
if mode == "silent": time.sleep(600)
if mode == "dies": sys.exit(3)
if mode == "nonsense": print("hello"); print(); sys.stdout.flush(); time.sleep(600)
if mode == "flood": os.write(1, b"x" * 1100000); time.sleep(600)
if mode == "error": ask("error", "internal", body=b"no token found")
if mode == "grease": assert ask("grease-123", "x", body=b"y" * 48)[0] == ["unsupported"]
if mode == "pin":
    words, pin = ask("request-secret", body=b"PIN?")
    if words != ["ok"] or pin != b"1234": ask("error", "internal", body=b"wrong PIN")
    assert ask("confirm", b64(b"yes"), b64(b"no"), body=b"sure?")[0] == ["ok", "yes"]
    assert ask("msg", body=b"touch it")[0] == ["ok"]
xor = lambda data: bytes(c ^ 0x42 for c in data)
if sys.argv[1] == "--age-plugin=recipient-v1":
    for words, body in commands:
        if words[0] == "wrap-file-key":
            ask("recipient-stanza", "1" if mode == "otherfile" else "0", "test", "arg", body=xor(body))
            if mode == "labels": ask("labels", "zebra", "ant")
else:
    done = set()
    for words, body in commands:
        if words[0] == "recipient-stanza" and words[2] == "test" and words[1] not in done:
            done.add(words[1])
            if mode == "partial" and words[1] == "1": ask("error", "stanza", "1", "0", body=b"not this one")
            else: ask("file-key", words[1], body=xor(body)[:15] if mode == "short" else xor(body))
send("done")
)py";

class PluginTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(program("python3"), "") << kRunSetup;
    const std::string path = folder_.write("age-plugin-test", kPlugin);
    ASSERT_THAT(write_file(path, kPlugin, 0755), Succeeds());
  }
  Plugins plugins(const std::string& mode = "", PluginPrompts* prompts = nullptr) {
    return {.search_path = folder_.path(),
            .environment = {"PATH=/usr/bin:/bin", "MODE=" + mode, "RUNS=" + (folder_ / "runs")},
            .limit = std::chrono::seconds(mode == "silent" ? 1 : 60),
            .prompts = prompts};
  }
  std::string runs() { return read_file(folder_ / "runs", 10'000).value_or(""); }
  Result<std::string> encrypted(const Plugins& how) {
    const RecipientPtr to = *parse_recipient(kTestRecipient, how);
    return encrypt({&to, 1}, bytes_of("hunter2"));
  }
  Result<Secret> decrypted(const std::string& file, const Plugins& how) {
    const IdentityPtr key = *parse_identity(kTestIdentity, how);
    return decrypt({&key, 1}, file);
  }

  TestFolder folder_;
};

class Person final : public PluginPrompts {
 public:
  bool show(const std::string&, std::string_view message) override {
    shown += message;
    return true;
  }
  std::optional<bool> confirm(const std::string&, std::string_view, std::string_view yes,
                              std::string_view no) override {
    return yes == "yes" && no == "no";
  }
  std::optional<Secret> ask(const std::string&, std::string_view question, bool is_secret) override {
    if (!is_secret || question != "PIN?") return std::nullopt;
    return secret("1234");
  }
  std::string shown;
};

TEST_F(PluginTest, WrapsAndUnwraps) {
  const auto file = encrypted(plugins());
  ASSERT_THAT(file, Succeeds());
  EXPECT_THAT(*file, HasSubstr("-> test arg\n"));
  const auto value = decrypted(*file, plugins("grease"));
  ASSERT_THAT(value, Succeeds());
  EXPECT_EQ(value->text(), "hunter2");
}

TEST_F(PluginTest, RunsOnceForManyFiles) {
  const std::string first = *encrypted(plugins());
  const std::string second = *encrypted(plugins());
  const RecipientPtr native = recipient();
  const std::string third = *encrypt({&native, 1}, bytes_of("native"));
  const std::string none = *encrypt(Recipients{*parse_recipient(generate_key_pair().recipient)}, bytes_of("x"));
  ASSERT_THAT(remove_tree(folder_ / "runs"), Succeeds());
  const Identities keys = {identity(), *parse_identity(kTestIdentity, plugins())};
  const std::vector<std::string_view> files = {first, "no age file", second, third, none};
  const auto values = decrypt_all(keys, files);
  ASSERT_EQ(values.size(), 5U);
  EXPECT_EQ(values[0]->text(), "hunter2");
  EXPECT_THAT(values[1], FailsWith(Errc::invalid_data, HasSubstr("no age v1 file")));
  EXPECT_EQ(values[2]->text(), "hunter2");
  EXPECT_EQ(values[3]->text(), "native");
  EXPECT_THAT(values[4], FailsWith(Errc::denied, HasSubstr("no identity")));
  EXPECT_EQ(runs(), "--age-plugin=identity-v1\n") << "one run";
}

TEST_F(PluginTest, OneBadStanzaDoesNotSpoilTheOthers) {
  const std::string one = *encrypted(plugins());
  const std::string two = *encrypted(plugins());
  const IdentityPtr key = *parse_identity(kTestIdentity, plugins("partial"));
  const std::vector<std::string_view> files = {one, two};
  const auto values = decrypt_all({&key, 1}, files);
  EXPECT_THAT(values[0], Succeeds());
  EXPECT_THAT(values[1], FailsWith(Errc::unavailable, HasSubstr("not this one")));
}

TEST_F(PluginTest, PassesQuestionsToAPersonOrDeclinesThem) {
  const std::string file = *encrypted(plugins());
  Person person;
  const auto value = decrypted(file, plugins("pin", &person));
  ASSERT_THAT(value, Succeeds());
  EXPECT_EQ(person.shown, "touch it");
  EXPECT_THAT(decrypted(file, plugins("pin")), FailsWith(Errc::unavailable, HasSubstr("wrong PIN")));
}

TEST_F(PluginTest, SurvivesABadPlugin) {
  const std::string file = *encrypted(plugins());
  for (const auto& [mode, words] : std::vector<std::pair<std::string, std::string>>{{"silent", "did not answer"},
                                                                                    {"dies", "ended early"},
                                                                                    {"nonsense", "no message"},
                                                                                    {"flood", "more than"},
                                                                                    {"error", "no token found"},
                                                                                    {"short", "no file key"}}) {
    EXPECT_THAT(decrypted(file, plugins(mode)), FailsWith(Errc::unavailable, HasSubstr(words))) << mode;
    const Identities keys = {*parse_identity(kTestIdentity, plugins(mode)), *parse_identity(kTestIdentity, plugins())};
    EXPECT_THAT(decrypt(keys, file), Succeeds()) << "the next identity is tried after " << mode;
  }
  for (const auto& [mode, words] : std::vector<std::pair<std::string, std::string>>{
           {"dies", "ended early"}, {"error", "no token found"}, {"otherfile", "not given"}}) {
    EXPECT_THAT(encrypted(plugins(mode)), FailsWith(Errc::unavailable, HasSubstr(words))) << mode;
  }
}

TEST_F(PluginTest, SaysWhichProgramIsMissing) {
  const auto result = encrypted({.search_path = "/nonexistent"});
  ASSERT_THAT(result, FailsWith(Errc::unavailable, HasSubstr("'age-plugin-test' is not on this machine")));
  EXPECT_THAT(result.error().hint, HasSubstr("install"));
}

TEST_F(PluginTest, LabelsKeepRecipientsApart) {
  const Recipients mixed = {*parse_recipient(kTestRecipient, plugins("labels")), recipient()};
  EXPECT_THAT(encrypt(mixed, bytes_of("x")), FailsWith(Errc::usage, HasSubstr("cannot share")));
}

TEST_F(PluginTest, TheRealAgeAgrees) {
  const std::string age_program = program("age");
  ASSERT_NE(age_program, "") << kRunSetup;
  const std::string key = folder_.write("key.txt", kTestIdentity);
  const Command command = {
      .argv = {age_program, "-d", "-i", key},
      .environment = {{"PATH=" + folder_.path() + ":/usr/bin:/bin", "RUNS=" + (folder_ / "runs")}}};
  const auto output = run(command, {.input = *encrypted(plugins())});
  ASSERT_THAT(output, Succeeds());
  EXPECT_EQ(output->out, "hunter2") << output->err;
}

TEST(PluginKeys, AreToldByTheirText) {
  EXPECT_TRUE(is_plugin_recipient(kTestRecipient));
  EXPECT_FALSE(is_plugin_recipient(kRecipient));
  EXPECT_THAT(parse_recipient("age1te/st10qdmzv9q"), FailsWith(Errc::invalid_data, HasSubstr("")));
  EXPECT_TRUE((*parse_identity(kTestIdentity))->reads(kTestRecipient));
  EXPECT_FALSE((*parse_identity(kTestIdentity))->reads(kRecipient));
}

}  // namespace
}  // namespace vmcred::age
