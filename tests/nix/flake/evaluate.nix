# flake.nix with a stand-in for nixpkgs: what it offers, and that its check of the guide's configuration holds.
let
  lib = import ../nixpkgs/lib.nix;
  nixpkgs = {
    outPath = ../nixpkgs;
    lib = lib // { nixosSystem = import ../nixpkgs/nixos/lib/eval-config.nix; };
  };
  outputs = (import ../../../flake.nix).outputs { inherit nixpkgs; self = outputs; };
  names = lib.mapAttrs (_: builtins.attrNames);
in
{
  packages = names outputs.packages;
  checks = names outputs.checks;
  modules = builtins.attrNames outputs.nixosModules;
  guest_is_static = (outputs.overlays.default (import ../nixpkgs { system = "x86_64-linux"; }) { }).vmcred-guest.cmakeFlags;
  guide = outputs.checks.x86_64-linux.guide.name;
}
