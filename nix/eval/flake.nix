# The declaration of an evaluated NixOS configuration, whatever modules it has: for `nix eval --apply`.
parts: machine: config:
let
  fail = { message, hint ? "", position ? null, ... }:
    throw "vmcred:${builtins.toJSON { inherit message hint position; }}:vmcred";
in
{
  declaration = (if parts.only_generators or false then whole: removeAttrs whole [ "vms" ] else whole: whole) (parts.declaration {
    inherit (parts) lib;
    inherit fail config machine;
    guest_of = parts.guest_of config;
  });
  places = [ ];
}
