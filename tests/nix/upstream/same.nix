# The same file under the stand-alone evaluator and under the real `lib`, with vmcred's own options for clan and microvm.nix: for
# each "" where both give the same declaration, else both.
{ upstream, project ? ../../.. }:
let
  harness = import ./host.nix { inherit upstream project; };
  inherit (harness) lib;
  files = lib.mapAttrs' (file: _: lib.nameValuePair (lib.removeSuffix ".nix" file) (./same + "/${file}")) (builtins.readDir ./same)
    // lib.genAttrs [ "guide" "minimal" "everything" "fleet" ] (name: ../. + "/${name}/host.nix");

  # A package is a name here and a path there.
  name_of = input: let parts = builtins.match "/nix/store/[a-z0-9]{32}-(.*)-[0-9.]+" input; in if parts == null then input else builtins.head parts;
  # A script that holds the path of one needs it here as an input, and there has it.
  in_text = text: map (each: "${builtins.elemAt each 0}") (lib.filter builtins.isList (builtins.split "/nix/store/[a-z0-9]{32}-([a-z]+)-[0-9.]+" text));
  comparable = declaration: declaration // {
    generators = builtins.mapAttrs
      (_: each: each // {
        runtime-inputs = lib.unique (map name_of each.runtime-inputs ++ in_text each.script);
        script = lib.concatStrings (lib.filter builtins.isString (builtins.split "/nix/store/[a-z0-9]{32}-[a-z]+-[0-9.]+|/usr" each.script));
      })
      declaration.generators;
  };
  here = file: (import (project + "/nix/eval") {
    inherit file;
    folder = dirOf file;
    machine = "";
    only_machine = "nixos";
    identifiers = [ "openssl" "coreutils" "jq" "linuxPackages_6_6" ];
    system = "x86_64-linux";
  }).declaration;
  there = file: (harness.alone [ file ]).config.vmcred.declaration;
  judged = file:
    let a = comparable (here (toString file)); b = comparable (there file); in
    if a == b then "" else "${builtins.toJSON a} and ${builtins.toJSON b}";
in
builtins.mapAttrs (_: judged) files
