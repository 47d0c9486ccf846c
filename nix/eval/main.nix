# The stand-alone evaluator: a NixOS-style module file without NixOS. `parts` are the other files of this folder.
parts: { file, folder, machine, only_machine, identifiers, system }:
let
  fail = { message, hint ? "", position ? null, word ? "", candidates ? [ ] }:
    throw "vmcred:${builtins.toJSON { inherit message hint position word candidates; }}:vmcred";

  lib = parts.lib;
  modules = parts.modules { inherit lib fail; };

  # ---- packages: every identifier of the files, each a stand-in for the package of that name ----
  stand_in = name: {
    type = "derivation";
    inherit name;
    pname = name;
    vmcred_input = name;
    outPath = "/usr";
    meta.mainProgram = name;
    __functor = _: _: fail {
      message = "pkgs.${name} is called as a function, which needs nixpkgs";
      hint = "name the nixpkgs to use with --nixpkgs, or write what it would give";
    };
  };
  pkgs = builtins.listToAttrs
    (map (name: { inherit name; value = stand_in name; }) (builtins.filter (name: !(lib ? ${name})) identifiers))
    // {
      inherit lib system pkgs;
      stdenv = stand_in "stdenv" // { hostPlatform = platform; buildPlatform = platform; inherit (platform) isLinux isDarwin; };
    };
  platform = { inherit system; isLinux = true; isDarwin = false; isx86_64 = system == "x86_64-linux"; isAarch64 = system == "aarch64-linux"; };

  machine_of = config:
    if machine != "" then machine
    else if config.vmcred.machine != null then config.vmcred.machine
    else config.networking.hostName or only_machine;

  schema = parts.schema { inherit lib fail folder machine_of evaluate_guest; };

  evaluate_guest = name: host: {
    arguments = config: { inherit config pkgs lib name; hostConfig = host; };
    schema = schema.guest;
  };

  config = modules.evaluate {
    modules = [ { inherit file; value = /. + file; } ];
    arguments = config: { inherit config pkgs lib; };
    schema = schema.host;
  };
in
{
  declaration = parts.declaration {
    inherit lib fail config;
    machine = machine_of config;
    guest_of = name: config.microvm.vms.${name}.config or { };
  };
  places = parts.places { inherit lib; } config;
  guests = parts.guests { inherit lib; } config;
}
