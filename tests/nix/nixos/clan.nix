# Stands for clan-core on the host: its options with their defaults, and sops-nix's paths.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.clan.core.vars.settings.secretStore = mkOption { type = types.enum [ "sops" "password-store" "age" "custom" ]; default = "sops"; };
  options.clan.core.sops.defaultGroups = mkOption { type = types.listOf types.str; default = [ ]; };
  options.clan.core.vars.generators = mkOption {
    default = { };
    type = types.attrsOf (types.submodule ({ name, ... }: let generator = name; in {
      options = {
        name = mkOption { type = types.str; default = name; };
        share = mkOption { type = types.bool; default = false; };
        dependencies = mkOption { type = types.listOf types.str; default = [ ]; };
        prompts = mkOption { type = types.attrsOf types.anything; default = { }; };
        runtimeInputs = mkOption { type = types.listOf types.package; default = [ ]; };
        script = mkOption { type = types.either types.str types.path; default = ""; };
        validation = mkOption { type = types.nullOr types.anything; default = null; };
        validationHash = mkOption { type = types.nullOr types.str; default = null; };
        finalScript = mkOption { type = types.str; default = "set -euo pipefail"; };
        files = mkOption {
          type = types.attrsOf (types.submodule ({ name, ... }: {
            options = {
              name = mkOption { type = types.str; default = name; };
              secret = mkOption { type = types.bool; default = true; };
              deploy = mkOption { type = types.bool; default = true; };
              owner = mkOption { type = types.str; default = "root"; };
              group = mkOption { type = types.str; default = "root"; };
              mode = mkOption { type = types.strMatching "^[0-7]{4}$"; default = "0400"; };
              neededFor = mkOption { type = types.enum [ "partitioning" "activation" "users" "services" ]; default = "services"; };
              restartUnits = mkOption { type = types.listOf types.str; default = [ ]; };
              # `later` was never generated: a public value is asked for in vain, a secret has no path.
              path = mkOption {
                type = types.str;
                default =
                  if generator != "later" then "/run/secrets/vars/per-machine/${config.networking.hostName}/${generator}/${name}"
                  else if name == "public" then throw "Please run 'clan vars generate' first"
                  else "/no-such-path";
              };
            };
          }));
        };
      };
    }));
  };
}
