# The declaration of an evaluated NixOS configuration, whatever modules it has: for `nix eval --apply`.
parts: machine: config:
let
  fail = { message, hint ? "", position ? null, ... }:
    throw "vmcred:${builtins.toJSON { inherit message hint position; }}:vmcred";
in
{
  declaration = parts.declaration {
    inherit (parts) lib;
    inherit fail config machine;
    # microvm.nix keeps the guest's whole evaluation in `config`
    guest_of = name: let vm = config.microvm.vms.${name} or { }; in (vm.evaluatedConfig or vm.config or { }).config or { };
  };
  places = [ ];
}
