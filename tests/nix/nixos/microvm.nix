# Stands for microvm.nix on the host: each vm's `config` is a whole evaluation with microvm.nix's guest options, its units
# are instances of microvm@, and its runners throw where upstream's do.
{ evaluate_guest }:
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  guest_options = { config, pkgs, ... }: {
    options.microvm = {
      hypervisor = mkOption { type = types.enum [ "qemu" "cloud-hypervisor" "firecracker" "crosvm" "kvmtool" ]; default = "qemu"; };
      mem = mkOption { type = types.ints.positive; default = 512; };
      optimize.enable = mkOption { type = types.bool; default = true; };
      socket = mkOption { type = types.nullOr types.str; default = "${config.networking.hostName}.sock"; };
      vcpu = mkOption { type = types.ints.positive; default = 1; };
      vsock.cid = mkOption { type = types.nullOr types.int; default = null; };
      credentialFiles = mkOption {
        type = types.attrsOf types.path;
        default = { };
        description = "Files that become credentials.";
        example = { };
      };
      qemu.machine = mkOption { type = types.str; default = "microvm"; };
      qemu.package = mkOption { type = types.package; default = pkgs.qemu_kvm; };
      cloud-hypervisor.platformOEMStrings = mkOption { type = types.listOf types.str; default = [ ]; };
      cloud-hypervisor.package = mkOption { type = types.package; default = pkgs.cloud-hypervisor; };
      crosvm.package = mkOption { type = types.package; default = pkgs.crosvm; };
      firecracker.package = mkOption { type = types.package; default = pkgs.firecracker; };
      declaredRunner = mkOption { type = types.anything; };
    };
    config.microvm.declaredRunner =
      let
        inherit (config.microvm) hypervisor credentialFiles cloud-hypervisor;
        package = config.microvm.${hypervisor}.package;
        # As upstream's runner for QEMU does when it optimises the closure.
        used = if hypervisor == "qemu" && config.microvm.optimize.enable then package.override { minimal = true; } else package;
      in
      if hypervisor != "qemu" && credentialFiles != { } then throw "${hypervisor} does not support credentialFiles"
      else {
        program = used.name;
        inherit (config.microvm) socket;
        sandboxed = builtins.elem "--enable-seccomp" (used.configureFlags or [ ]);
        credentials = builtins.attrNames credentialFiles;
        oem_strings = cloud-hypervisor.platformOEMStrings;
      };
  };
in
{
  options.microvm.vms = mkOption {
    default = { };
    description = "The vms of this host.";
    type = types.attrsOf (types.submodule ({ name, ... }: {
      options = {
        config = mkOption {
          default = null;
          type = types.nullOr (lib.mkOptionType {
            name = "Toplevel NixOS config";
            merge = _: definitions: {
              config = evaluate_guest name ([ guest_options ] ++ map (definition: definition.value) definitions);
            };
          });
        };
        evaluatedConfig = mkOption { type = types.nullOr types.unspecified; default = null; };
        flake = mkOption { type = types.nullOr types.unspecified; default = null; };
        autostart = mkOption { type = types.bool; default = true; };
      };
    }));
  };

  config.assertions = map
    (name: { assertion = config.microvm.vms.${name}.flake == null || config.microvm.vms.${name}.config == null; message = "vm ${name}: has a flake and a config"; })
    (builtins.attrNames config.microvm.vms);
  config.systemd.services = builtins.listToAttrs (map
    (name: { name = "microvm@${name}"; value = { overrideStrategy = "asDropin"; serviceConfig.Type = "simple"; }; })
    (builtins.attrNames config.microvm.vms));
}
