# The options of microvm.nix that vmcred reads, for configurations without it: `vmcred vm run` starts the vms then.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  guest = {
    freeformType = types.attrsOf types.anything;
    options.microvm.credentialFiles = mkOption { type = types.attrsOf types.anything; default = { }; description = "Credentials to inject."; };
    options.microvm.hypervisor = mkOption { type = types.str; default = "qemu"; description = "The VMM."; };
    options.microvm.cloud-hypervisor.platformOEMStrings = mkOption { type = types.listOf types.str; default = [ ]; description = "Static OEM strings."; };
  };
in
{
  options.microvm.vms = mkOption {
    default = { };
    description = "The vms of this host.";
    type = types.attrsOf (types.submodule {
      options.config = mkOption { type = types.submodule guest; default = { }; description = "The guest's configuration."; };
    });
  };
}
