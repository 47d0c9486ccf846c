# Stands where nixpkgs has its own: the same arguments, the same outcome, the project's module system.
{ system, modules }:
let
  lib = import ../../../../../nix/eval/lib.nix { types = import ../../../../../nix/eval/types.nix; };
  fail = { message, ... }: throw message;
  evaluator = import ../../../../../nix/eval/modules.nix { inherit lib fail; options = import ../../../../../nix/eval/options.nix { inherit lib fail; }; };
  pkgs = lib.genAttrs [ "vmcred" "vmcred-guest" ] (name: { type = "derivation"; inherit name; outPath = "/nix/store/${name}"; })
    // { writeText = name: text: { type = "derivation"; inherit name text; }; };
in
{
  config = evaluator.evaluate {
    modules = map (value: { file = "nixos"; inherit value; }) modules;
    arguments = config: { inherit config lib pkgs; };
    schema = _: { children = { systemd = { children = { services = { each = _: _: { children = { }; }; }; }; }; networking = { children = { hostName = { default = "nixos"; }; }; }; }; };
  };
}
