# Stands where nixpkgs has its own: the same arguments, the real `lib`'s module system, NixOS's options as the harness has them.
{ system ? null, pkgs, lib ? pkgs.lib, modules, specialArgs ? { }, extraModules ? [ ], prefix ? [ ], ... }:
lib.evalModules {
  inherit prefix specialArgs;
  class = "nixos";
  modules = modules ++ extraModules ++ [ ../options.nix { _file = "eval-config.nix"; _module.args = { inherit pkgs; }; } ];
}
