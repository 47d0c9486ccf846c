{ lib, config, pkgs, ... }@args:
with lib;
let
  cfg = config.services.fleet;
  vmOpts = { name, config, ... }: {
    options = {
      enable = mkEnableOption "this vm";
      secrets = mkOption { type = types.listOf types.str; default = [ ]; };
      memory = mkOption { type = types.int; default = 256; };
      title = mkOption { type = types.str; default = "vm ${name}"; };
    };
    config.memory = mkIf (name == "big") (mkDefault 2048);
  };
in
{
  options.services.fleet = {
    enable = mkEnableOption "the fleet";
    vms = mkOption { type = types.attrsOf (types.submodule vmOpts); default = { }; };
    extra = mkOption { type = with types; nullOr (either str (listOf str)); default = null; };
  };
  config = mkIf cfg.enable (mkMerge [
    {
      clan.core.vars.generators = mapAttrs' (name: vm: nameValuePair "${name}-secrets" {
        files = genAttrs vm.secrets (_: { });
        runtimeInputs = with pkgs; [ openssl coreutils ];
        script = concatMapStringsSep "\n" (s: ''openssl rand -hex 8 > "$out/${s}"'') vm.secrets;
      }) (filterAttrs (_: vm: vm.enable) cfg.vms);
    }
    {
      systemd.services = mapAttrs' (name: vm: nameValuePair "microvm@${name}" {
        serviceConfig.LoadCredential = map (s: "host-${s}:${config.clan.core.vars.generators."${name}-secrets".files.${s}.path}") vm.secrets;
      }) (filterAttrs (_: vm: vm.enable) cfg.vms);
      microvm.vms = mapAttrs (name: vm: {
        config = { lib, ... }: {
          imports = [ ./guest.nix (import ./param.nix { inherit (vm) secrets; }) ];
          microvm.mem = vm.memory;
          microvm.credentialFiles = lib.genAttrs (map (s: "host-" + s) vm.secrets) (_: { });
        };
      }) (filterAttrs (_: vm: vm.enable) cfg.vms);
    }
    (optionalAttrs (args ? nothing) { foo = 1; })
  ]);
}
