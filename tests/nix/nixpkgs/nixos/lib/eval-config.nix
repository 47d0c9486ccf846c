# Stands where nixpkgs has its own: the same arguments, the same outcome, the project's module system.
{ system, modules }:
let
  lib = import ../../lib.nix;
  fail = { message, ... }: throw message;
  options = import ../../../../../nix/eval/options.nix { inherit lib fail; };
  evaluator = import ../../../../../nix/eval/modules.nix { inherit lib fail options; };
in
rec {
  config = evaluator.evaluate {
    modules = map (value: { file = "nixos"; inherit value; }) ([ ../../../nixos/nixos.nix ] ++ modules);
    arguments = config: { inherit config lib; pkgs = import ../.. { inherit system; overlays = config.nixpkgs.overlays or [ ]; }; };
    schema = _: { children = { }; };
  };
}
