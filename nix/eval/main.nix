# The stand-alone evaluator: a NixOS-style module file without NixOS. `parts` are the other files of this folder.
parts: { file, folder, machine, only_machine, identifiers, system }:
let
  fail = { message, hint ? "", position ? null, word ? "", candidates ? [ ] }:
    throw "vmcred:${builtins.toJSON { inherit message hint position word candidates; }}:vmcred";

  lib = parts.lib;
  modules = parts.modules { inherit lib fail; options = parts.options { inherit lib fail; }; };

  packages = parts.packages { inherit lib fail identifiers system; };
  inherit (packages) pkgs;

  machine_of = config:
    if machine != "" then machine
    else if config.vmcred.machine != null then config.vmcred.machine
    else config.networking.hostName or only_machine;

  schema = parts.schema { inherit lib fail folder machine_of evaluate_guest; };

  evaluate_guest = name: host: vm: {
    arguments = config: { inherit config pkgs lib name; hostConfig = host; } // vm.specialArgs;
    schema = schema.guest;
    base = map (value: { file = "extraModules"; inherit value; }) vm.extraModules;
  };

  config = modules.evaluate {
    modules = [ { inherit file; value = /. + file; } ];
    arguments = config: { inherit config pkgs lib; };
    schema = schema.host;
  };
in
{
  declaration = (if parts.only_generators or false then whole: removeAttrs whole [ "vms" ] else whole: whole) (parts.declaration {
    inherit lib fail config;
    inherit (packages) inputs_of;
    machine = machine_of config;
    guest_of = parts.guest_of config;
    hardware_of = parts.hardware { inherit lib fail; };
  });
  places = if parts.only_generators or false then [ ] else parts.places { inherit lib; } config;
  guests = if parts.only_generators or false then { } else parts.guests { inherit lib fail; } config;
}
