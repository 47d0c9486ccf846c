# The options of microvm.nix that vmcred reads, for configurations without it: vmcred's own units start the vms then. Kernel
# and initrd stand in vmcred.vms.NAME.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  service = {
    freeformType = types.attrsOf types.anything;
    options.serviceConfig = mkOption { type = types.attrsOf types.anything; default = { }; description = "[Service]"; };
    options.unitConfig = mkOption { type = types.attrsOf types.anything; default = { }; description = "[Unit]"; };
  };
  guest = {
    freeformType = types.attrsOf types.anything;
    options.systemd.services = mkOption { type = types.attrsOf (types.submodule service); default = { }; description = "The guest's services."; };
    options.microvm.credentialFiles = mkOption { type = types.attrsOf types.anything; default = { }; description = "Credentials to inject."; };
    options.microvm.hypervisor = mkOption { type = types.str; default = "qemu"; description = "The VMM."; };
    options.microvm.cloud-hypervisor.platformOEMStrings = mkOption { type = types.listOf types.str; default = [ ]; description = "Static OEM strings."; };
  };
  vmms = { qemu = pkgs.qemu_kvm; inherit (pkgs) cloud-hypervisor crosvm firecracker; };
  vmm_of = name:
    let own = config.vmcred.vms.${name} or { }; in
    if own.package or null != null then own.package
    else vmms.${own.hypervisor or (config.microvm.vms.${name}.config.microvm.hypervisor or "qemu")};
in
{
  config = {
    # The units as `vmcred vm units` writes them; what activates is clan-options.nix or sops-nix.
    systemd.packages = [
      (pkgs.runCommand "vmcred-units" { } ''
        mkdir project
        cp ${config.vmcred.declarationFile} project/vmcred.json
        ${config.vmcred.package}/bin/vmcred --project project vm units --install --root "$out" \
          --program ${config.vmcred.package}/bin/vmcred --host-project /etc/vmcred
        rm "$out/etc/systemd/system/vmcred-activate.service"
      '')
    ];
    systemd.services = builtins.listToAttrs
      (map (name: lib.nameValuePair "microvm@${name}" { wantedBy = [ "multi-user.target" ]; path = [ (vmm_of name) ]; })
        (builtins.attrNames config.microvm.vms ++ builtins.attrNames config.vmcred.vms));
  };

  options.microvm.vms = mkOption {
    default = { };
    description = "The vms of this host.";
    type = types.attrsOf (types.submodule {
      options.config = mkOption { type = types.submodule guest; default = { }; description = "The guest's configuration."; };
    });
  };
}
