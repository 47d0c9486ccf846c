# Stands for microvm.nix (August 2026) on the host: each vm's `config` is a whole evaluation with microvm.nix's guest options;
# microvm@ runs as the user microvm, who has no folder below /run; the runners throw where upstream's do: they take no
# credentials but QEMU's, compare the version of a VMM's package, and put the socket's name into text.
{ evaluate_guest }:
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  guest_options = { config, pkgs, ... }: {
    options.microvm = {
      hypervisor = mkOption { type = types.enum [ "qemu" "cloud-hypervisor" "firecracker" "crosvm" "kvmtool" "stratovirt" "alioth" "vfkit" ]; default = "qemu"; };
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
      volumes = mkOption { type = types.listOf types.anything; default = [ ]; };
      interfaces = mkOption { type = types.listOf types.anything; default = [ ]; };
      binScripts = mkOption { type = types.attrsOf types.lines; default = { }; };
      declaredRunner = mkOption { type = types.anything; };
    };
    config.microvm.binScripts = lib.optionalAttrs (config.microvm.interfaces != [ ]) {
      tap-up = lib.concatMapStrings (each: "ip tuntap add name '${each.id}' mode tap user 'microvm' vnet_hdr\n") config.microvm.interfaces;
    };
    config.microvm.declaredRunner =
      let
        inherit (config.microvm) hypervisor credentialFiles cloud-hypervisor;
        package = config.microvm.${hypervisor}.package;
        # As upstream's runner for QEMU does when it optimises the closure.
        # As upstream's runners for cloud-hypervisor, Firecracker and crosvm do before anything else.
        old = builtins.elem hypervisor [ "cloud-hypervisor" "firecracker" ] && builtins.compareVersions package.version "36.0" < 0;
        prepare = if hypervisor == "crosvm" then "rm -f ${config.microvm.socket}" else "";
        used = if hypervisor == "qemu" && config.microvm.optimize.enable then package.override { minimal = true; } else package;
      in
      if hypervisor != "qemu" && credentialFiles != { } then throw "${hypervisor} does not support credentialFiles"
      else {
        program = used.name;
        inherit old prepare;
        supportsNotifySocket = hypervisor == "cloud-hypervisor" && config.microvm.vsock.cid != null;
        inherit (config.microvm) socket;
        sandboxed = builtins.elem "--enable-seccomp" (used.configureFlags or [ ]);
        credentials = builtins.attrNames credentialFiles;
        oem_strings = cloud-hypervisor.platformOEMStrings;
      };
  };
in
{
  options.microvm.stateDir = mkOption { type = types.path; default = "/var/lib/microvms"; };
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
        updateFlake = mkOption { type = types.nullOr types.str; default = null; };
        autostart = mkOption { type = types.bool; default = true; };
      };
    }));
  };

  config.assertions = map
    (name: { assertion = config.microvm.vms.${name}.flake == null || config.microvm.vms.${name}.config == null; message = "vm ${name}: has a flake and a config"; })
    (builtins.attrNames config.microvm.vms);
  config.systemd.services = builtins.listToAttrs (lib.concatMap
    (name: [
      { name = "microvm@${name}"; value = { overrideStrategy = "asDropin"; serviceConfig.Type = "simple"; }; }
      { name = "install-microvm-${name}"; value.script = "chown -h microvm:kvm /var/lib/microvms/${name}"; }
    ])
    (builtins.attrNames config.microvm.vms)) // {
    "microvm@".serviceConfig = {
      Type = "simple";
      User = "microvm";
      Group = "kvm";
      NotifyAccess = "all";
      WorkingDirectory = "/var/lib/microvms/%i";
      ExecStart = "/var/lib/microvms/%i/current/bin/microvm-run";
      ExecStop = "/var/lib/microvms/%i/booted/bin/microvm-shutdown";
    };
    "microvm-set-booted@".serviceConfig = { User = "microvm"; Group = "kvm"; };
  };
}
