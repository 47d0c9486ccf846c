# A host under the real `lib`, the whole of microvm.nix and clan-core's vars, with vmcred's modules: what cases.nix looks at.
{ upstream, project ? ../../.., folder ? ./empty, tools ? "/usr", vmcred ? "/usr", kernel ? null }:
let
  lib = import (upstream + "/nixpkgs.lib/lib");
  nixos = upstream + "/nixos";
  pkgs = import ./packages.nix { inherit lib tools vmcred kernel; path = ./.; }
    // { upstream_nixos = if builtins.pathExists (nixos + "/lib/systemd-unit-options.nix") then nixos else null; };
  ours = import (project + "/nix/modules");

  clan = {
    _file = "clan-core";
    imports = map (name: upstream + "/clan-core/nixosModules/clanCore/${name}") [ "settings.nix" "dependencies.nix" "sops.nix" "vars" ];
    clan.core.settings = { directory = toString folder; name = "test"; machine.name = lib.mkDefault "britton-desktop"; };
  };
  # Stands for sops-nix: its options, as far as clan-core defines them.
  sops = { lib, ... }: {
    options.sops = {
      secrets = lib.mkOption {
        default = { };
        type = lib.types.attrsOf (lib.types.submodule ({ name, ... }: {
          freeformType = lib.types.attrsOf lib.types.anything;
          options.path = lib.mkOption { type = lib.types.str; default = "/run/secrets/${name}"; };
        }));
      };
      validateSopsFiles = lib.mkOption { type = lib.types.bool; default = true; };
      defaultSopsFile = lib.mkOption { type = lib.types.path; };
      age.keyFile = lib.mkOption { type = lib.types.nullOr lib.types.str; default = null; };
      environment = lib.mkOption { type = lib.types.attrsOf lib.types.anything; default = { }; };
    };
  };

  system = modules: lib.evalModules {
    class = "nixos";
    modules = modules ++ [ ./nixos/options.nix { _module.args = { inherit pkgs; }; } ];
  };
in
{
  inherit lib pkgs ours;
  # As a user of all three has it; `modules` are the user's own.
  full = modules: system ([ clan sops (upstream + "/microvm.nix/nixos-modules/host") ours.host ] ++ modules);
  # The same without vmcred.
  bare = modules: system ([ clan sops (upstream + "/microvm.nix/nixos-modules/host") ] ++ modules);
  # vmcred alone, with its own options for clan and microvm.nix.
  alone = modules: system ([ ours.host ours.clan-options ours.microvm-options ] ++ modules);
  # A guest evaluated elsewhere.
  guest = modules: system ([ (upstream + "/microvm.nix/nixos-modules/microvm") ] ++ modules);
}
