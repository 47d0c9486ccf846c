{ config, lib, ... }: {
  options.my.vms = lib.mkOption { type = lib.types.attrsOf (lib.types.submodule { options.secrets = lib.mkOption { type = lib.types.listOf lib.types.str; default = [ ]; }; }); default = { }; };
  config = {
    networking.hostName = "web";
    my.vms.v.secrets = [ "a" "b" ];
    clan.core.vars.generators = lib.mapAttrs' (name: vm: lib.nameValuePair "${name}-secrets" { files = lib.genAttrs vm.secrets (_: { }); }) config.my.vms;
    vmcred.vms = lib.mapAttrs (name: vm: { credentials = lib.genAttrs vm.secrets (secret: { from = "${name}-secrets/${secret}"; }); }) config.my.vms;
  };
}
