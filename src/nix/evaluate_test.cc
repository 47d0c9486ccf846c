#include "nix/evaluate.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <thread>

#include "base/file.h"
#include "base/process.h"
#include "matchers.h"

namespace vmcred::nix {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::MatchesGolden;
using ::testing::Not;
using testing::Succeeds;
using testing::TestFolder;

const std::string kProjects = testing::source_folder() + "/tests/nix/";

Settings settings(const std::string& machine = "") {
  return {.search_path = std::string(kSystemPath),
          .environment = {"HOME=/var/empty"},
          .machine = machine,
          .only_machine = "this-host"};
}

/// The declaration of a module text, as JSON on one line; an error as itself.
Result<std::string> declared(const std::string& module_text, const Settings& given = settings()) {
  const TestFolder folder;
  TRY_LET(const Evaluation evaluation, evaluate(folder.write("host.nix", module_text), given));
  return dump_json(evaluation.declaration);
}

/// An evaluation error without the folder's name, with its remedy.
std::string complaint(const std::string& module_text) {
  const TestFolder folder;
  const auto evaluation = evaluate(folder.write("host.nix", module_text), settings());
  if (evaluation) return "it evaluated";
  std::string text = evaluation.error().message;
  for (auto at = text.find(folder.path() + "/"); at != std::string::npos; at = text.find(folder.path() + "/")) {
    text.erase(at, folder.path().size() + 1);
  }
  return evaluation.error().hint.empty() ? text : text + " | " + evaluation.error().hint;
}

std::string one_generator(const std::string& body) {
  return "{ config, lib, pkgs, ... }: {\n  clan.core.vars.generators.g = {\n" + body + "\n  };\n}\n";
}

TEST(NixEvaluate, GivesTheDeclarationOfTheGuide) {
  const auto evaluation = evaluate(kProjects + "guide/host.nix", settings());
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_THAT(dump_json(evaluation->declaration, Indent::two_spaces), MatchesGolden("nix/guide.json"));
}

TEST(NixEvaluate, GivesTheDeclarationOfTheMinimalExample) {
  const auto evaluation = evaluate(kProjects + "minimal/host.nix", settings());
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_THAT(dump_json(evaluation->declaration, Indent::two_spaces), MatchesGolden("nix/minimal.json"));
}

TEST(NixEvaluate, KnowsEveryOptionThatItReads) {
  const auto evaluation = evaluate(kProjects + "everything/host.nix", settings());
  ASSERT_THAT(evaluation, Succeeds());
  std::string text = dump_json(evaluation->declaration, Indent::two_spaces);
  const auto at = text.find(testing::source_folder());
  ASSERT_NE(at, std::string::npos);  // the kernel was a path
  text.replace(at, testing::source_folder().size(), "@source@");
  EXPECT_THAT(text, MatchesGolden("nix/everything.json"));
}

TEST(NixEvaluate, GivesTheDeclarationOfAHostWithModulesOfItsOwn) {
  const auto evaluation = evaluate(kProjects + "fleet/host.nix", settings());
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_THAT(dump_json(evaluation->declaration, Indent::two_spaces), MatchesGolden("nix/fleet.json"));
}

/// The value of one of the tests' own Nix files.
std::string value_of(const std::string& name) {
  const auto json = evaluate_value(kProjects + name, settings());
  EXPECT_THAT(json, Succeeds());
  return json ? dump_json(*json, Indent::two_spaces) : json.error().message;
}

// The modules for NixOS under the project's own module system; a real NixOS evaluates them in the flake's checks.
TEST(NixosModules, DefineUnitsWrappersAndAssertionsBesideMicrovmAndClanAndWithoutThem) {
  EXPECT_THAT(value_of("nixos/evaluate.nix"), MatchesGolden("nix/nixos.json"));
}

TEST(NixosModules, AreOfferedByTheFlakeWithPackagesAndChecks) {
  EXPECT_THAT(value_of("flake/evaluate.nix"), MatchesGolden("nix/flake.json"));
}

TEST(NixEvaluate, UsesTheModuleSystemOfANixpkgs) {
  Settings given = settings("from-option");
  given.nixpkgs = kProjects + "nixpkgs";
  const auto evaluation = evaluate(kProjects + "minimal/host.nix", given);
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_THAT(dump_json(evaluation->declaration),
              HasSubstr(R"("load-credential":["host-secret-key:my-vm-secrets/secret-key"])"));
  EXPECT_THAT(dump_json(evaluation->declaration), HasSubstr(R"("machines":{"from-option":{}})"));
}

TEST(NixEvaluate, SaysWhereThingsWereDeclared) {
  const auto evaluation = evaluate(kProjects + "minimal/host.nix", settings());
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_THAT(dump_json(evaluation->places), HasSubstr("\"line\":4,\"pointer\":\"/generators/my-vm-secrets\""));
}

TEST(NixEvaluate, KnowsThePlaceAroundNamesThatAFunctionMade) {
  const TestFolder folder;
  const auto evaluation = evaluate(
      folder.write("host.nix",
                   "{ lib, ... }: {\n  clan.core.vars.generators.g.files =\n    lib.genAttrs [ \"a\" ] (_: { });\n}\n"),
      settings());
  ASSERT_THAT(evaluation, Succeeds());
  const std::string places = dump_json(evaluation->places);
  EXPECT_THAT(places, HasSubstr("/host.nix\",\"line\":2,\"pointer\":\"/generators/g/files/a\""));
  EXPECT_EQ(complaint("{ lib, ... }: {\n  microvm.vms = lib.genAttrs [ \"v\" ] (_: { flik = 1; });\n}\n"),
            "host.nix:2:44: 'microvm.vms.v' has no option 'flik' | did you mean 'flake'?");
}

TEST(NixEvaluate, TakesTheMachineAsGivenThenTheHostNameThenTheOnlyOne) {
  const std::string named = "{ networking.hostName = \"web\"; clan.core.vars.generators.g.script = \"\"; }";
  EXPECT_THAT(declared(named).value_or(""), HasSubstr("\"machines\":{\"web\":{}}"));
  EXPECT_THAT(declared(named, settings("db")).value_or(""), HasSubstr("\"machines\":{\"db\":{}}"));
  EXPECT_THAT(declared("{ }").value_or(""), HasSubstr("\"machines\":{\"this-host\":{}}"));
}

TEST(NixEvaluate, MergesTheDefinitionsOfAllModules) {
  const TestFolder folder;
  folder.write("more.nix", R"({ lib, ... }: {
    clan.core.vars.generators.g = {
      files.b = { };
      files.a.owner = lib.mkDefault "nobody";
      files.a.restartUnits = [ "b.service" ];
      script = "echo b > $out/b";
    };
    clan.core.vars.generators.off = lib.mkIf false { script = ""; };
  })");
  const std::string file = folder.write("host.nix", R"({ config, lib, ... }: {
    imports = [ ./more.nix { imports = [ ./more.nix ]; } ];
    options.mine.greeting = lib.mkOption { default = "hello"; };
    config = lib.mkMerge [
      { clan.core.vars.generators.g.files.a = { owner = "alice"; restartUnits = lib.mkBefore [ "a.service" ]; }; }
      (lib.mkIf (config.networking.hostName == "web") {
        clan.core.vars.generators.g.script = lib.mkBefore "echo ${config.mine.greeting} > $out/a";
      })
      { networking.hostName = lib.mkForce "web"; }
      { networking.hostName = "other"; }
    ];
  })");
  const auto evaluation = evaluate(file, settings());
  ASSERT_THAT(evaluation, Succeeds());
  const std::string text = dump_json(evaluation->declaration);
  EXPECT_THAT(text, HasSubstr(R"("script":"echo hello > $out/a\necho b > $out/b")"));
  EXPECT_THAT(text, HasSubstr(R"("owner":"alice")"));
  EXPECT_THAT(text, HasSubstr(R"("restart-units":["a.service","b.service"])"));
  EXPECT_THAT(text, Not(HasSubstr("\"off\"")));
}

TEST(NixEvaluate, TakesTheGuestAsASetAFunctionOrBoth) {
  const auto text = declared(R"({ lib, ... }: lib.mkMerge [
    { microvm.vms.a.config.microvm.credentialFiles.one = { }; }
    { microvm.vms.a.config = { config, name, ... }: { microvm.credentialFiles.${name} = { }; microvm.mem = 256; }; }
  ])");
  EXPECT_THAT(text.value_or(""), HasSubstr(R"("credential-files":["a","one"])"));
  EXPECT_THAT(text.value_or(""), HasSubstr(R"("memory":"256M")"));
}

TEST(NixEvaluate, ReadsPublicValuesOfTheStore) {
  const TestFolder folder;
  folder.write("vars/per-machine/web/key/pub/value", "ssh-ed25519 AAAA");
  const std::string file = folder.write("host.nix", R"({ config, ... }: {
    networking.hostName = "web";
    clan.core.vars.generators.key.files.pub.secret = false;
    microvm.vms.a.config.microvm.cloud-hypervisor.platformOEMStrings = [
      "io.systemd.credential:ssh.authorized_keys.root=${config.clan.core.vars.generators.key.files.pub.value}"
    ];
  })");
  const auto evaluation = evaluate(file, settings());
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_THAT(dump_json(evaluation->declaration), HasSubstr("root=ssh-ed25519 AAAA"));
}

TEST(NixEvaluate, NamesFileAndLineOfEveryMistake) {
  EXPECT_EQ(complaint("{ config, ... }:\n{\n  a = ;\n}\n"), "host.nix:3:7: syntax error, unexpected ';'");
  EXPECT_EQ(complaint(one_generator("    script = foo;")),
            "host.nix:3:14: undefined variable 'foo' | a module gets config, pkgs and lib by naming them: { config, "
            "pkgs, lib, ... }:");
  EXPECT_EQ(complaint(one_generator("    file.x = { };")),
            "host.nix:3:5: generator 'g' has no option 'file' | did you mean 'files'?");
  EXPECT_EQ(complaint(one_generator("    files.x.mod = \"0400\";")),
            "host.nix:3:5: file 'g/x' has no option 'mod' | did you mean 'mode'?");
  EXPECT_EQ(complaint("{ config, ... }: {\n  clan.core.vars.generators.g.files.key = { };\n"
                      "  clan.core.vars.generators.g.script = config.clan.core.vars.generators.g.files.kei.path;\n}\n"),
            "host.nix:3:40: attribute 'kei' missing | did you mean 'key'?");
  EXPECT_EQ(complaint("{\n  a.b = 1;\n  microvm.vms.v.config = \"x\";\n}\n"),
            "host.nix:3:3: 'microvm.vms.v.config' must be a module: a set or a function, not a string");
  EXPECT_EQ(
      complaint(
          "{ lib, ... }: lib.mkMerge [\n  { networking.hostName = \"a\"; }\n  { networking.hostName = \"b\"; }\n]\n"),
      "host.nix:3:5: 'networking.hostName' is defined twice, with different values: host.nix:2 and host.nix:3 | "
      "keep one of them, or mark the other with lib.mkDefault or lib.mkForce");
  EXPECT_EQ(
      complaint("{ config, ... }: {\n  networking.hostName = config.networking.hostName;\n}\n"),
      "host.nix:2:3: infinite recursion encountered | a definition depends on its own outcome; lib.mkIf looks at its "
      "condition late, 'if' does not");
  EXPECT_EQ(complaint("{ inputs, ... }: { imports = [ inputs.x ]; }\n"),
            "host.nix:1:3: the module asks for 'inputs', which it is not given | modules get config, lib, options, "
            "pkgs; others come "
            "with --flake or --nixpkgs");
  EXPECT_EQ(complaint("[ ]\n"), "host.nix: a module must be a set or a function that gives one, not a list");
  EXPECT_EQ(complaint(one_generator("    script = throw \"no\\nway\";")), "host.nix:3:5: no way");
  EXPECT_EQ(complaint("{ config, ... }: {\n  networking.hostName = config.a.b;\n  a.c = 1;\n}\n"),
            "host.nix:2:25: attribute 'b' missing");
  EXPECT_EQ(complaint("{ imports = [ <nixpkgs/x.nix> ]; }\n").substr(0, 50),
            "host.nix:1:15: file 'nixpkgs/x.nix' was not found ");
}

TEST(NixEvaluate, RefusesWhatWouldPutASecretIntoTheStore) {
  const TestFolder folder;
  const std::string secret = folder.write("key", "x");
  const std::string unit = "systemd.services.\"microvm@a\".serviceConfig.LoadCredential";
  EXPECT_THAT(complaint("{ " + unit + " = [ \"k:${" + secret + "}\" ]; }"), HasSubstr("world-readable store"));
  EXPECT_THAT(complaint("{ " + unit + " = [ " + secret + " ]; }"), HasSubstr("world-readable store"));
  EXPECT_THAT(complaint("{ microvm.vms.a.config.microvm.credentialFiles.k = " + secret + "; }"),
              HasSubstr("world-readable store"));
  EXPECT_THAT(complaint("{ vmcred.vms.a.credentials.k.from = " + secret + "; }"), HasSubstr("world-readable store"));
}

TEST(NixEvaluate, RefusesTheValueOfASecret) {
  EXPECT_THAT(
      complaint(one_generator("    files.a = { };\n    script = config.clan.core.vars.generators.g.files.a.value;")),
      HasSubstr("'g/a' is secret: its value is not known to Nix | use .path"));
}

TEST(NixEvaluate, SaysThatCallingAPackageNeedsNixpkgs) {
  EXPECT_THAT(complaint(one_generator("    runtimeInputs = [ (pkgs.writeShellScriptBin \"x\" \"y\") ];")),
              HasSubstr("host.nix:3:24: pkgs.writeShellScriptBin is called as a function, which needs nixpkgs"));
  EXPECT_THAT(complaint(one_generator("    runtimeInputs = [ (pkgs.python3.withPackages (_: [ ])) ];")),
              HasSubstr("pkgs.python3.withPackages is called as a function"));
  EXPECT_THAT(complaint(one_generator("    script = pkgs.openssl.version;")),
              HasSubstr("pkgs.openssl is asked for its version"));
}

TEST(NixEvaluate, TakesPackagesFromWhereverTheyAreNamed) {
  const auto inputs = [](const std::string& text) {
    const std::string all = declared(text).value_or("");
    const auto at = all.find("\"runtime-inputs\":");
    return at == std::string::npos ? all : all.substr(at + 17, all.find(']', at) - at - 16);
  };
  EXPECT_EQ(
      inputs(one_generator("    runtimeInputs = with pkgs; [ openssl.bin unixtools.xxd (lib.getBin jq) \"age\" ];")),
      R"(["openssl","xxd","jq","age"])");
  EXPECT_EQ(inputs(one_generator("    runtimeInputs = [ pkgs.openssh pkgs.gnused ];")),
            R"(["ssh-keygen","ssh-keyscan","sed"])");
  EXPECT_EQ(
      inputs(one_generator(
          "    runtimeInputs = [ pkgs.jq ];\n    script = \"${pkgs.openssl}/bin/openssl ${lib.getExe pkgs.jq}\";")),
      R"(["jq","openssl"])");
  EXPECT_THAT(declared(one_generator("    script = \"${pkgs.openssl}/bin/openssl\";")).value_or(""),
              HasSubstr(R"("script":"/usr/bin/openssl")"));
}

TEST(NixEvaluate, RefusesWhatItWouldHaveToIgnore) {
  EXPECT_EQ(complaint("{ clan.core.vars.settings.secretStore = \"password-store\"; }"),
            "clan.core.vars.settings.secretStore is 'password-store', and vmcred keeps secrets in the 'sops' store | "
            "set it to \"sops\"");
  EXPECT_EQ(complaint("{ clan.core.vars.generator.g = { }; }"),
            "host.nix:1:3: 'clan.core.vars' has no option 'generator' | did you mean 'generators'?");
  EXPECT_EQ(complaint("{ microvm.vms.v.credentialFiles.k = { }; }"),
            "host.nix:1:3: 'microvm.vms.v' has no option 'credentialFiles' | it belongs into the guest: "
            "microvm.vms.v.config.microvm.credentialFiles");
  EXPECT_EQ(complaint("{ microvm.vms.v.config.microvm.credentialfiles.k = { }; }"),
            "host.nix:1:3: 'microvm' of the guest has no option 'credentialfiles' | did you mean 'credentialFiles'?");
  EXPECT_THAT(complaint("{ microvm.vms.v.flake = ./.; }"),
              HasSubstr("needs the flakes that the configuration comes from"));
  EXPECT_THAT(complaint("{ microvm.vms.v.config.microvm.shares = [ { tag = \"s\"; proto = \"9p\"; } ]; }"),
              HasSubstr("write proto = \"virtiofs\""));
  EXPECT_EQ(
      complaint("{\n  systemd.services.\"microvm@v\".serviceConfig.LoadCredentialEncrypted = [ \"host-k:/k\" ];\n"
                "  microvm.vms.v.config.microvm.credentialFiles.host-k = { };\n}\n"),
      "host.nix:2:3: microvm@v gets 'host-k' by LoadCredentialEncrypted, which vmcred does not read | load it with "
      "LoadCredential: systemd hands it over the same way");
}

TEST(NixEvaluate, ChecksTheTypesOfOptionsThatModulesDeclare) {
  const auto with = [](const std::string& type, const std::string& value) {
    return complaint("{ lib, config, ... }: {\n  options.a.b = lib.mkOption { type = lib.types." + type +
                     "; };\n  config.a.b = " + value +
                     ";\n  config.networking.hostName = \"h${builtins.toJSON config.a.b}\";\n}\n");
  };
  EXPECT_EQ(with("str", "1"), "host.nix:3:3: 'a.b' must be a string, not a number");
  EXPECT_EQ(with("enum [ \"x\" ]", "\"y\""), "host.nix:3:3: 'a.b' must be one of [\"x\"], not a string");
  EXPECT_EQ(with("nullOr lib.types.port", "70000"),
            "host.nix:3:3: 'a.b' must be null or a number from 0 to 65535, not a number");
  EXPECT_EQ(with("attrsOf lib.types.bool", "{ c = 1; }"), "host.nix:3:18: 'a.b.c' must be true or false, not a number");
  EXPECT_EQ(with("submodule { options.c = lib.mkOption { }; }", "{ d = 1; }"),
            "host.nix:3:18: 'a.b' has no option 'd' | did you mean 'c'?");
  EXPECT_EQ(with("nullOr lib.types.str", "null"), "it evaluated");
  EXPECT_EQ(complaint("{ lib, ... }: { imports = [ { options.a = lib.mkOption { default = 1; }; } ]; options.a = "
                      "lib.mkOption { default = 2; }; }"),
            "the option 'a' is declared twice, with two defaults");
}

TEST(NixEvaluate, GivesTheServicesOfAGuestWhole) {
  const TestFolder folder;
  const std::string head =
      "{ microvm.vms.v.config.systemd.services.s = { serviceConfig.LoadCredential = [ \"a:A\" ]; script = \"run\"; ";
  const auto evaluation = evaluate(folder.write("host.nix", head + R"(
    preStart = "before"; after = [ "x.service" ]; wantedBy = [ "multi-user.target" ]; environment.LANG = "C"; path = [ ];
    serviceConfig.Type = "oneshot"; serviceConfig.RemainAfterExit = true; }; })"),
                                   settings());
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_EQ(
      dump_json(evaluation->guests),
      R"({"v":{"s":{"description":"","scripts":{"ExecStart":"run","ExecStartPre":"before"},"service":{"Environment":["LANG=C"],)"
      R"("RemainAfterExit":["yes"],"Type":["oneshot"]},"unit":{"After":["x.service"]},"wanted-by":["multi-user.target"]}}})");
  EXPECT_THAT(complaint(head + "startAt = \"daily\"; }; }"),
              HasSubstr("guest service 's' has 'startAt', which vmcred cannot write into a unit"));
}

TEST(NixEvaluate, GivesAGuestItsArgumentsDisksAndNetworks) {
  const auto text = declared(R"({ microvm.vms.v = {
    specialArgs.who = "me";
    extraModules = [ { microvm.mem = 256; } ];
    config = { who, cpus, ... }: {
      _module.args.cpus = 3;
      vmcred.guest = { agent = true; services.app.credentials.key = "KEY"; };
      microvm = {
        vcpu = cpus;
        credentialFiles.${who} = { };
        qemu.machine = "pc";
        volumes = [ { image = "root.img"; readOnly = true; } ];
        interfaces = [ { type = "user"; id = "u"; mac = "02:00:00:00:00:01"; } ];
        forwardPorts = [ { host.port = 2222; guest.port = 22; } ];
      };
    };
  }; })");
  EXPECT_EQ(
      text.value_or("").substr(text.value_or("").find("\"vms\"")),
      R"("vms":{"v":{"credential-files":["me"],"credentials":{},"disks":[{"path":"root.img","read-only":true}],)"
      R"("guest":{"agent":true,"services":{"app":{"load-credential":["key:KEY"]}}},"machine":"this-host","memory":"256M",)"
      R"("networks":[{"forward":["tcp:0.0.0.0:2222:22"],"mac":"02:00:00:00:00:01","type":"user"}],"qemu":{"machine":"pc"},"vcpus":3}}})");
}

TEST(NixEvaluate, SendsNothingAway) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);  // NOLINT
  ASSERT_EQ(::bind(listener.get(), raw, size), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  ASSERT_EQ(::getsockname(listener.get(), raw, &size), 0);
  const TestFolder folder;
  folder.write("key", "key-of-a-user");
  const std::string file = folder.write(
      "host.nix",
      fmt::format("_: builtins.seq (builtins.fetchurl \"http://127.0.0.1:{}/${{builtins.readFile ./key}}\") {{ }}\n",
                  ntohs(address.sin_port)));
  std::jthread server([&](const std::stop_token& stop) {  // so that nix does not wait where it does connect
    pollfd watched = {.fd = listener.get(), .events = POLLIN, .revents = 0};
    while (!stop.stop_requested() && ::poll(&watched, 1, 100) == 0) {
    }
    if (watched.revents == 0) return;
    const Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ADD_FAILURE() << "nix reached the network";
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    (void)write_all(client, kAnswer);
  });
  const auto refused = evaluate(file, settings());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().hint, HasSubstr("without network"));
}

TEST(NixEvaluate, SaysHowToInstallNix) {
  const TestFolder folder;
  const auto evaluation = evaluate(folder.write("host.nix", "{ }"), {.search_path = folder.path()});
  ASSERT_THAT(evaluation, FailsWith(Errc::unavailable, HasSubstr("there is no nix-instantiate on this machine")));
  EXPECT_THAT(evaluation.error().hint, HasSubstr("apt-get install nix-bin"));
}

class NixCache : public ::testing::Test {
 protected:
  /// With nix, or (the second time) without.
  Result<Evaluation> once_more(bool with_nix) {
    Settings given = settings();
    given.cache_folder = folder_ / "cache";
    if (!with_nix) given.search_path = "/nowhere";
    return evaluate(folder_ / "host.nix", given);
  }
  TestFolder folder_;
};

TEST_F(NixCache, StartsNoNixWhenNothingChanged) {
  folder_.write("host.nix", "{ imports = [ ./more.nix ]; }");
  folder_.write("more.nix", "{ networking.hostName = \"a\"; }");
  const auto first = once_more(true);
  ASSERT_THAT(first, Succeeds());
  EXPECT_FALSE(first->cached);
  const auto second = once_more(false);
  ASSERT_THAT(second, Succeeds());
  EXPECT_TRUE(second->cached);
  EXPECT_EQ(dump_json(second->declaration), dump_json(first->declaration));
}

TEST_F(NixCache, FollowsWhatTheFileImportsAndReads) {
  folder_.write("host.nix",
                "{ imports = [ ./modules ]; clan.core.vars.generators.g.script = builtins.readFile ./make.sh; }");
  folder_.write("modules/default.nix",
                "{ imports = map (n: ./parts + \"/${n}\") (builtins.attrNames (builtins.readDir ./parts)); }");
  folder_.write("modules/parts/a.nix", "{ networking.hostName = \"a\"; }");
  folder_.write("make.sh", "echo 1");
  ASSERT_THAT(once_more(true), Succeeds());
  EXPECT_THAT(once_more(false), Succeeds());
  folder_.write("make.sh", "echo 2");
  EXPECT_THAT(once_more(false), FailsWith(Errc::unavailable, HasSubstr("nix-instantiate")));
  ASSERT_THAT(once_more(true), Succeeds());
  folder_.write("modules/parts/b.nix", "{ a = 1; }");
  EXPECT_THAT(once_more(false), FailsWith(Errc::unavailable, HasSubstr("nix-instantiate")));
  ASSERT_THAT(once_more(true), Succeeds());
  folder_.write("other.nix", "{ }");
  EXPECT_THAT(once_more(false), Succeeds());
}

TEST_F(NixCache, FollowsThePublicValuesThatWereRead) {
  folder_.write("host.nix",
                "{ config, ... }: { networking.hostName = \"a\"; clan.core.vars.generators.g.files.p.secret = false;"
                "clan.core.vars.generators.h.script = config.clan.core.vars.generators.g.files.p.value; }");
  folder_.write("vars/per-machine/a/g/p/value", "1");
  ASSERT_THAT(once_more(true), Succeeds());
  EXPECT_THAT(once_more(false), Succeeds());
  folder_.write("vars/per-machine/a/g/p/value", "2");
  EXPECT_THAT(once_more(false), FailsWith(Errc::unavailable, HasSubstr("nix-instantiate")));
}

TEST_F(NixCache, KeepsNothingThatDependsOnMoreThanFiles) {
  folder_.write("host.nix", "{ networking.hostName = \"a${builtins.getEnv \"X\"}\"; }");
  ASSERT_THAT(once_more(true), Succeeds());
  EXPECT_THAT(once_more(false), FailsWith(Errc::unavailable, HasSubstr("nix-instantiate")));
}

TEST_F(NixCache, TakesADamagedEntryForNone) {
  folder_.write("host.nix", "{ }");
  ASSERT_THAT(once_more(true), Succeeds());
  const auto entries = list_folder(folder_ / "cache");
  ASSERT_THAT(entries, Succeeds());
  ASSERT_EQ(entries->size(), 1U);
  folder_.write("cache/" + entries->front(), "{\"format\":1,");
  const auto evaluation = once_more(true);
  ASSERT_THAT(evaluation, Succeeds());
  EXPECT_FALSE(evaluation->cached);
}

}  // namespace
}  // namespace vmcred::nix
