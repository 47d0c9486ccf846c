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
  text = default: mkOption { type = types.nullOr types.str; inherit default; description = "As microvm.nix's."; };
  raw = default: mkOption { type = types.raw; inherit default; description = "As microvm.nix's."; };
  # What vmcred defines or reads stands here by name: in the free rest, a value that depends on another one is endless.
  guest = {
    freeformType = types.attrsOf types.anything;
    options = {
      systemd.services = mkOption { type = types.attrsOf (types.submodule service); default = { }; description = "The guest's services."; };
      boot.initrd.kernelModules = mkOption { type = types.listOf types.str; default = [ ]; description = "Modules of the initrd."; };
      environment.systemPackages = mkOption { type = types.listOf types.raw; default = [ ]; description = "Packages of the guest."; };
      microvm = {
        credentialFiles = mkOption { type = types.attrsOf types.anything; default = { }; description = "Credentials to inject."; };
        hypervisor = text null;
        socket = text null;
        vsock.cid = raw null;
        binScripts = raw { };
        cloud-hypervisor.platformOEMStrings = mkOption { type = types.listOf types.str; default = [ ]; description = "Static OEM strings."; };
        qemu.package = raw pkgs.qemu_kvm;
        cloud-hypervisor.package = raw pkgs.cloud-hypervisor;
        crosvm.package = raw pkgs.crosvm;
        firecracker.package = raw pkgs.firecracker;
      };
    };
    config._module.args = { inherit pkgs; };
  };
  vmms = { qemu = pkgs.qemu_kvm; inherit (pkgs) cloud-hypervisor crosvm firecracker; };
  vmm_of = name:
    let own = config.vmcred.vms.${name} or { }; in
    if own.package or null != null then own.package
    else if own.hypervisor or null != null then vmms.${own.hypervisor}
    else let of_guest = config.microvm.vms.${name}.config.microvm.hypervisor or null; in vmms.${if of_guest == null then "qemu" else of_guest};
in
{
  config = {
    vmcred.ownUnits = true;  # so disks and networks are its, too
    # The units as `vmcred vm units` writes them; what activates is clan-options.nix or sops-nix.
    systemd.packages = [
      (pkgs.runCommand "vmcred-units" { } ''
        mkdir project
        cp ${config.vmcred.declarationFile} project/vmcred.json
        ${config.vmcred.package}/bin/vmcred --project project vm units --install --root "$out" \
          --program ${config.vmcred.package}/bin/vmcred --host-project /etc/vmcred
        rm "$out/etc/systemd/system/vmcred-activate.service" "$out/etc/systemd/system/vmcred-memory.service"
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
      # A module like any other: its `imports` are imports.
      options.config = mkOption { type = types.submoduleWith { modules = [ guest ]; shorthandOnlyDefinesConfig = false; }; default = { }; description = "The guest's configuration."; };
      options.flake = mkOption { type = types.raw; default = null; description = "Not used here."; };
      options.evaluatedConfig = mkOption { type = types.raw; default = null; description = "Not used here."; };
    });
  };
}
